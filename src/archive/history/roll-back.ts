/**
 * Takes a repository back to where an earlier transaction left it, and has this client accept that: to everyone who
 * knows the newer list of archives, the older one looks like an attack.
 *
 * What must not go back does not: the repository's mark of used nonces stays, and is raised where it lies behind what is
 * taken out; the client's own mark is not touched.
 */
import { initCrypto } from '../../crypto/init-crypto.ts';
import { GeneralError } from '../../errors.ts';
import type { ManifestData } from '../../format/manifest.ts';
import { SecurityManager } from '../../keys/security-manager.ts';
import { readHistory, type LoggedTransaction } from '../../repository/history.ts';
import { planUndo, type PlannedUndo } from '../../repository/plan-undo.ts';
import { MANIFEST_ID } from '../../repository/repository.ts';
import type { SegmentRepository } from '../../repository/segment-repository.ts';
import type { Context } from '../../util/context.ts';
import { readCacheConfig } from '../assert-secure.ts';
import type { CacheConfig } from '../cache/cache-config.ts';
import { compareArchiveLists, type ArchiveChanges } from './archive-changes.ts';
import { firstUnusedNonce, loadKeyOfHistory, openLoggedManifest } from './logged-manifests.ts';
import { describeTransactions, type HistoryEntry } from './repository-history.ts';

export interface RollbackOptions {
  /** Do without the key: nothing is known of archives, and this client goes on refusing the older list. */
  readonly withoutKey?: boolean;
  readonly lockWaitSeconds?: number | undefined;
}

export interface RollbackPlan {
  readonly target: HistoryEntry;
  /** The oldest first. */
  readonly undone: readonly HistoryEntry[];
  readonly repository: PlannedUndo;
  /** What becomes of the list of archives; undefined without the key, and where the newest list can't be read. */
  readonly changes: ArchiveChanges | undefined;
  /** Archives in the list that it goes back to; undefined without the key. */
  readonly archiveCount: number | undefined;
  /** This client knows a later list of archives, and will accept the older one. */
  readonly isNewerKnown: boolean;
  /** Carries it out; needs the exclusive lock. */
  run(): Promise<void>;
}

/**
 * Changes nothing. Reads all of the log up to the transaction.
 *
 * @throws GeneralError where the repository can't go back to it; IntegrityError where the log is damaged;
 *   NoManifestError; what loading the key throws
 */
export async function planRollback(
  ctx: Context,
  repository: SegmentRepository,
  transactionId: number,
  options: RollbackOptions = {},
): Promise<RollbackPlan> {
  await initCrypto();
  const planned = await planUndo(ctx, repository, transactionId);
  const { index } = planned;
  if (!index.has(MANIFEST_ID)) throw refusal(repository, transactionId, 'has no list of archives');
  const transactions = readHistory(repository.log, ctx.reporter);
  const at = transactions.findIndex((each) => each.transactionId === transactionId);
  const key = options.withoutKey === true ? undefined : await loadKeyOfHistory(ctx, repository, transactions);
  const [target, ...undone] = describeTransactions(repository, transactions, { key, first: at });
  const listOf = (upTo: number): ManifestData | undefined => {
    const last = transactions.slice(0, upTo + 1).findLast(({ manifest }) => manifest !== undefined);
    const data = key && last && openLoggedManifest(repository, key, last);
    if (data === undefined || !('problem' in data)) return data;
    if (upTo === at)
      throw refusal(repository, transactionId, `has no genuine list of archives: ${data.problem}`);
    return undefined;
  };
  const after = listOf(at);
  for (const [name, { id }] of after?.archives ?? []) {
    if (!index.has(id)) throw refusal(repository, transactionId, `lacks the archive ${name}`);
  }
  const before = listOf(transactions.length - 1);
  const client = new ClientMemory(ctx, repository, options.lockWaitSeconds);
  return {
    target: target!,
    undone,
    repository: planned,
    changes: before && after && compareArchiveLists(before.archives, after.archives),
    archiveCount: after?.archives.size,
    isNewerKnown: after !== undefined && (await client.knowsNewer(after.timestamp)),
    run: async () => {
      await raiseNonceMark(repository, transactions.slice(at + 1));
      // First, so that after a crash this client gets in, whether there is the old state or the new one.
      if (after !== undefined) await client.accept(after.timestamp);
      await planned.run();
    },
  };
}

function refusal({ location }: SegmentRepository, transactionId: number, problem: string): GeneralError {
  return new GeneralError([`transaction ${transactionId} of ${location} ${problem}; nothing was changed`]);
}

/** No client may take a nonce again that an object in the quarantine was sealed with. */
async function raiseNonceMark(
  repository: SegmentRepository,
  undone: readonly LoggedTransaction[],
): Promise<void> {
  const needed = firstUnusedNonce(repository, undone);
  if (needed === undefined) return;
  const mark = await repository.getFreeNonce();
  if (mark === undefined || mark < needed) await repository.commitNonceReservation(needed, mark);
}

/** What this client remembers of the newest list of archives: in its security folder, and in its cache. */
class ClientMemory {
  readonly #ctx: Context;
  readonly #repository: SegmentRepository;
  readonly #lockWaitSeconds: number | undefined;
  readonly #security: SecurityManager;

  constructor(ctx: Context, repository: SegmentRepository, lockWaitSeconds: number | undefined) {
    this.#ctx = ctx;
    this.#repository = repository;
    this.#lockWaitSeconds = lockWaitSeconds;
    this.#security = new SecurityManager(ctx, repository);
  }

  async knowsNewer(timestamp: string): Promise<boolean> {
    const { idHex } = this.#repository;
    const cached = await readCacheConfig(
      this.#ctx,
      idHex,
      this.#lockWaitSeconds,
      (config) => config.timestamp ?? '',
      { settle: true },
    );
    return [this.#security.rememberedTimestamp ?? '', cached ?? ''].some((each) => each > timestamp);
  }

  /** The cache itself is brought in step when it is used next, as after another client has written. */
  async accept(timestamp: string): Promise<void> {
    const { idHex, location } = this.#repository;
    const lower = (config: CacheConfig, save: (location: string) => void) => {
      if ((config.timestamp ?? '') <= timestamp) return;
      config.setTimestamp(timestamp);
      save(config.previousLocation ?? location);
    };
    await readCacheConfig(this.#ctx, idHex, this.#lockWaitSeconds, lower, { settle: true });
    this.#security.acceptOlder(timestamp);
  }
}
