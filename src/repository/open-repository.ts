/** Opening a repository of this machine. Source: Borg 1.4.5 repository.py, open. */
import { resolve } from 'node:path';
import { GeneralError, InvalidRepository, RepositoryDoesNotExist } from '../errors.ts';
import type { RepositoryConfig } from '../format/repository-config.ts';
import { PosixStore } from '../store/posix-store.ts';
import type { Store } from '../store/store.ts';
import type { Context } from '../util/context.ts';
import { initXxh64 } from '../util/xxh64.ts';
import { loadConfig } from './config-file.ts';
import { Lock } from './lock.ts';
import type { LockIdentity } from './exclusive-lock.ts';
import { processIdentity } from './process-identity.ts';
import { SegmentFiles } from './segment-files.ts';
import { SegmentLog } from './segment-log.ts';
import { SegmentRepository } from './segment-repository.ts';
import { TransactionFiles } from './transaction-files.ts';
import { finishUndo } from './undo.ts';

export interface OpenOptions {
  /** Whether the repository will be written to. A shared lock is upgraded where that turns out to be needed. */
  exclusive?: boolean | undefined;
  /** False: take no lock, and write nothing. */
  lock?: boolean | undefined;
  /** How long to wait for others, Infinity for ever. Default 1. */
  lockWaitSeconds?: number | undefined;
  /** Append-only even where the config doesn't say so. */
  appendOnly?: boolean | undefined;
  /** Instead of the config's quota; 0 for none. */
  storageQuotaBytes?: number | undefined;
  /** What `location` of the repository says. Default: its absolute path. */
  location?: string | undefined;
}

/** What a caller with a store of its own may set. */
export interface StoreOptions extends OpenOptions {
  identity?: LockIdentity | undefined;
  /** The repository was just made. */
  created?: boolean | undefined;
}

/**
 * Throws RepositoryDoesNotExist, InvalidRepository, InvalidRepositoryConfig, AtticRepository, LockTimeout,
 * LockFailed. `path` is relative to the context's working directory.
 */
export async function openRepository(
  context: Context,
  path: string,
  options: OpenOptions = {},
): Promise<SegmentRepository> {
  return openRepositoryIn(context, new PosixStore(resolve(context.cwd, path)), options);
}

export async function openRepositoryIn(
  context: Context,
  store: Store,
  options: StoreOptions = {},
): Promise<SegmentRepository> {
  const root = store.stat('');
  if (root === undefined) throw new RepositoryDoesNotExist([store.root]);
  if (root.kind !== 'folder') throw new InvalidRepository([store.root]);
  await initXxh64();
  const lock = options.lock === false ? undefined : repositoryLock(context, store, options);
  await lock?.acquire();
  try {
    const config = await loadSettledConfig(context, store, lock);
    return new SegmentRepository(context, {
      store,
      config,
      lock,
      breakLock: () => (lock ?? repositoryLock(context, store, options)).break(),
      location: options.location ?? store.root,
      appendOnly: options.appendOnly === true || config.appendOnly,
      storageQuotaBytes: options.storageQuotaBytes ?? config.storageQuotaBytes,
      created: options.created ?? false,
    });
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

/** The config; a rollback that was interrupted is finished first. */
async function loadSettledConfig(
  context: Context,
  store: Store,
  lock: Lock | undefined,
): Promise<RepositoryConfig> {
  const config = loadConfig(store);
  if (config.startedRollback === undefined) return config;
  if (lock === undefined) {
    throw new GeneralError([
      `a rollback of ${store.root} was interrupted: nothing can be read before an access with a lock has finished it`,
    ]);
  }
  const wasShared = !lock.isExclusive;
  if (wasShared) await lock.upgrade();
  try {
    const now = loadConfig(store);
    if (now.startedRollback !== undefined) finish(context, store, now);
    return loadConfig(store);
  } finally {
    if (wasShared) await lock.downgrade();
  }
}

function finish({ reporter }: Context, store: Store, config: RepositoryConfig): void {
  const { transactionId } = config.startedRollback!;
  const text = `A rollback to transaction ${transactionId} was interrupted, it is being finished.`;
  reporter.log('warning', text, { logger: 'borg.repository' });
  const files = new TransactionFiles(store, reporter);
  const log = new SegmentLog(
    new SegmentFiles(store, config.segmentsPerDir),
    config.maxSegmentSizeBytes,
    reporter,
  );
  try {
    finishUndo({ config, files, log, reporter }, config.startedRollback!);
  } finally {
    log.close();
  }
}

function repositoryLock(context: Context, store: Store, options: StoreOptions): Lock {
  return new Lock(store, 'lock', {
    exclusive: options.exclusive ?? false,
    timeoutSeconds: options.lockWaitSeconds,
    reporter: context.reporter,
    signal: context.signal,
    identity: options.identity ?? processIdentity(context),
  });
}

/** Removes all locks of a repository, whoever holds them; the repository itself is not opened. */
export async function breakLock(context: Context, path: string): Promise<void> {
  const store = new PosixStore(resolve(context.cwd, path));
  const root = store.stat('');
  if (root === undefined) throw new RepositoryDoesNotExist([store.root]);
  if (root.kind !== 'folder') throw new InvalidRepository([store.root]);
  loadConfig(store);
  repositoryLock(context, store, {}).break();
}
