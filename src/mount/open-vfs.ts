/**
 * Opens archives as a tree of files.
 *
 * Source: Borg 1.4.5, fuse.py, FuseBackend and FuseOperations.__init__.
 */
import type { SelectedArchive } from '../archive/archive-selection.ts';
import { LastingRepository } from '../archive/lasting-repository.ts';
import { ObjectReader } from '../archive/object-reader.ts';
import type { Session } from '../archive/session.ts';
import { GeneralError } from '../errors.ts';
import { processOwner, processorCount } from '../platform/system.ts';
import { FileChunks } from './file-chunks.ts';
import type { Owner, ViewOptions } from './item-view.ts';
import { MetadataChunks } from './metadata-chunks.ts';
import { ArchiveDirectory } from './archive-directory.ts';
import type { TreeShape } from './tree-builder.ts';
import { TreeLoader } from './tree-loader.ts';
import type { TreeContext } from './tree.ts';
import type { Vfs } from './vfs.ts';

/** What archives are read from; a session is that. */
export type VfsSource = Pick<Session, 'ctx' | 'repository' | 'key' | 'manifest'>;

export interface VfsOptions extends TreeShape, Omit<ViewOptions, 'defaultOwner'> {
  /** The tree of one archive; a directory for each of several; or these merged, with the versions of each file. */
  readonly show:
    | { readonly archive: string }
    | { readonly archives: readonly SelectedArchive[]; readonly versions?: boolean | undefined };
  /** Open files whose lost contents a check replaced by zeros. */
  readonly allowDamagedFiles?: boolean | undefined;
  /** Of directories that no archive says anything of. Default: this process's. */
  readonly defaultOwner?: Owner | undefined;
  /** A new handle of the same repository, for when its connection is lost. Without: it stays lost. */
  readonly reopen?: (() => Promise<Session['repository']>) | undefined;
  /** Threads that open objects; 0: none. Default: one a processor, four at most. */
  readonly threads?: number | undefined;
}

/** The largest chunk that Borg's chunkers make: by it the environment counts. */
const ENTRY_BYTES = 8 * 2 ** 20;
const DEFAULT_CACHE_BYTES = 32 * 2 ** 20;
/** The kernel's cache is the better place for more. */
const MAX_CACHE_BYTES = 2 ** 30;
const MAX_THREADS = 4;
const CACHE_VARIABLE = 'BORG_MOUNT_DATA_CACHE_ENTRIES';

/**
 * One archive, and the versions view, are loaded when this settles; other archives when somebody enters them. close() of
 * what it gives closes the session.
 *
 * @throws ArchiveDoesNotExist; IntegrityError and others where an archive can't be loaded; GeneralError for a number of
 *   cache entries that is none
 */
export async function openVfs(session: VfsSource, options: VfsOptions): Promise<Vfs> {
  const cacheBytes = cacheBytesOf(session.ctx.env[CACHE_VARIABLE]);
  const { reporter, signal } = session.ctx;
  const repository = new LastingRepository(session.repository, reporter, { reopen: options.reopen });
  const reader = new ObjectReader(repository, session.key);
  const threads = options.threads ?? Math.min(processorCount(), MAX_THREADS);
  const chunks = new FileChunks(reader, { cacheBytes, threads });
  const shared: TreeContext = {
    reporter,
    metadata: new MetadataChunks(reader),
    chunks,
    view: { ...options, defaultOwner: options.defaultOwner ?? processOwner() },
    allowDamagedFiles: options.allowDamagedFiles ?? false,
    startedNs: session.ctx.nowNs(),
    close: async () => {
      await repository.close();
      await chunks[Symbol.asyncDispose]();
    },
  };
  const source = { repository, key: session.key, manifest: session.manifest };
  const loader = new TreeLoader(shared, source, options, signal);
  const { show } = options;
  if ('archive' in show) return loader.loadOnly(show.archive);
  if (show.versions === true) return loader.loadVersions(show.archives);
  return new ArchiveDirectory(shared, show.archives, (...args) => loader.loadEntered(...args));
}

function cacheBytesOf(entries: string | undefined): number {
  if (entries === undefined || entries === '') return DEFAULT_CACHE_BYTES;
  if (!/^\d{1,6}$/.test(entries)) throw new GeneralError([`${CACHE_VARIABLE} is no number: ${entries}`]);
  return Math.min(Math.max(Number(entries), 1) * ENTRY_BYTES, MAX_CACHE_BYTES);
}
