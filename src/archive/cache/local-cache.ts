/**
 * The chunks cache and the files cache that are kept on this machine between runs.
 *
 * Source: Borg 1.4.5, cache.py, LocalCache.
 */
import { FileIntegrityError, GeneralError } from '../../errors.ts';
import { SecurityManager } from '../../keys/security-manager.ts';
import { getCacheDir } from '../../platform/home.ts';
import { describeOsError } from '../../platform/os-error.ts';
import { Lock } from '../../repository/lock.ts';
import { processIdentity } from '../../repository/process-identity.ts';
import { PosixStore } from '../../store/posix-store.ts';
import { hasCode } from '../../store/store.ts';
import { MsgpackError } from '../../msgpack/value.ts';
import { toHex } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { initXxh64 } from '../../util/xxh64.ts';
import { CacheConfig } from './cache-config.ts';
import { ARCHIVE_INDEXES, CacheDirectory } from './cache-directory.ts';
import { CacheSync } from './cache-sync.ts';
import { ChunkIndex } from './chunk-index.ts';
import { ChunksCache, type CacheSubject } from './chunks-cache.ts';
import { FILES_CACHE_DISABLED, FilesCache, type FilesCacheMode } from './files-cache.ts';
import { SUPPORTED_REPO_FEATURES } from '../manifest.ts';
import { decodePre12Metadata, encodePre12Metadata, type Pre12Metadata } from './pre12-metadata.ts';

export interface LocalCacheOptions {
  readonly filesCacheMode?: FilesCacheMode;
  readonly lockWaitSeconds?: number | undefined;
  /** Ask before an unknown unencrypted repository is used. Default true. */
  readonly warnIfUnencrypted?: boolean;
  /** Bring it in step with the repository. Default true. */
  readonly sync?: boolean;
}

const LOGGER = { logger: 'borg.cache' };
const DEFAULT_FILES_CACHE_TTL = 20;

export class LocalCache extends ChunksCache {
  readonly kind = 'local';
  readonly #ctx: Context;
  readonly #directory: CacheDirectory;
  readonly #lock: Lock;
  readonly #filesCacheMode: FilesCacheMode;
  #config!: CacheConfig;
  #chunks = new ChunkIndex();
  #files: FilesCache | undefined;
  #transactionActive = false;
  /** Sizes of archives whose metadata lacks them, by archive id; kept in the cache as it is when that is closed. */
  preBorg12Metadata: Pre12Metadata = new Map();
  #savedPre12Text = '';

  private constructor(
    ctx: Context,
    subject: CacheSubject,
    directory: CacheDirectory,
    lock: Lock,
    options: LocalCacheOptions,
  ) {
    super(subject);
    this.#ctx = ctx;
    this.#directory = directory;
    this.#lock = lock;
    this.#filesCacheMode = options.filesCacheMode ?? FILES_CACHE_DISABLED;
  }

  /** Opens the repository's cache, which is made if it is not there. */
  static async open(ctx: Context, subject: CacheSubject, options: LocalCacheOptions): Promise<LocalCache> {
    await initXxh64();
    const { repository, manifest, key } = subject;
    const directory = cacheDirectory(ctx, repository.idHex);
    if (!directory.exists()) {
      const warnIfUnencrypted = options.warnIfUnencrypted ?? true;
      const security = new SecurityManager(ctx, repository);
      await security.assertSecure(key, manifest.timestamp, { warnIfUnencrypted });
      directory.create();
      directory.saveText('config', CacheConfig.create(repository.idHex).encode(repository.location));
    }
    const lock = cacheLock(ctx, directory, options.lockWaitSeconds);
    await lock.acquire();
    const cache = new LocalCache(ctx, subject, directory, lock, options);
    try {
      await cache.#start(options.sync ?? true);
    } catch (error) {
      await cache.close();
      throw error;
    }
    return cache;
  }

  get chunks(): ChunkIndex {
    return this.#chunks;
  }

  get files(): FilesCache | undefined {
    return this.#files;
  }

  begin(): Promise<void> {
    if (!this.#transactionActive) {
      const progress = this.#ctx.reporter.message('cache.begin_transaction');
      for (const part of ['config', 'chunks', 'files']) {
        progress.show(`Initializing cache transaction: Reading ${part}`);
      }
      this.#directory.beginTransaction();
      this.#transactionActive = true;
      progress.finish();
    }
    return Promise.resolve();
  }

  async commit(): Promise<void> {
    if (!this.#transactionActive) return;
    const { repository, manifest, key } = this.subject;
    new SecurityManager(this.#ctx, repository).save(key, manifest.timestamp);
    const progress = this.#ctx.reporter.message('cache.commit');
    if (this.#files !== undefined) {
      progress.show('Saving files cache');
      const integrity = this.#directory.writeFilesCache(this.#files.encode(this.#filesCacheTtl()));
      this.#config.integrity.set(this.#directory.filesName, integrity);
    }
    progress.show('Saving chunks cache');
    this.#config.integrity.set('chunks', this.#directory.writeChunkIndex('chunks', this.#chunks));
    progress.show('Saving cache config');
    this.#config.setInStep(toHex(manifest.id), manifest.timestamp, String(key.material.typeByte));
    this.#saveConfig();
    this.#directory.endTransaction();
    this.#transactionActive = false;
    progress.finish();
  }

  async close(): Promise<void> {
    try {
      const text = encodePre12Metadata(this.preBorg12Metadata);
      if (text !== this.#savedPre12Text) this.#directory.writeText('pre12-meta', text);
    } finally {
      await this.#lock.release();
    }
  }

  async #start(sync: boolean): Promise<void> {
    const { repository, manifest, key } = this.subject;
    try {
      this.#load();
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (error instanceof FileIntegrityError) this.#warn(error.message);
      this.#wipe();
      this.#load();
    }
    const { previousLocation, keyType, timestamp } = this.#config;
    await new SecurityManager(this.#ctx, repository).assertSecure(key, manifest.timestamp, {
      cacheConfig: { previousLocation, keyType, timestamp, save: () => this.#saveConfig() },
    });
    if (!this.#isCompatible()) this.#wipe();
    this.#noteFeatures();
    if (!sync || toHex(manifest.id) === this.#config.manifestIdHex) return;
    manifest.checkRepositoryCompatibility(['read']);
    await this.begin();
    const useEnv = /^(?:yes|1|true)$/i.test(this.#ctx.env['BORG_USE_CHUNKS_ARCHIVE'] ?? 'yes');
    const keepArchiveIndexes = useEnv && this.#directory.hasFolder(ARCHIVE_INDEXES);
    const run = new CacheSync(this.#ctx, this.subject, this.#directory, keepArchiveIndexes);
    this.#chunks = await run.run();
    await this.commit();
  }

  /** Reads the files as the last transaction that ended has left them. */
  #load(): void {
    this.#directory.rollback();
    this.#config = this.#readConfig();
    if (this.#config.integrityWasStale) {
      this.#warn('Cache integrity data not available: old Borg version modified the cache.');
    }
    const integrity = this.#config.integrity.get('chunks');
    if (integrity === undefined && this.#config.manifestIdHex !== '') {
      // It has been in step with the repository. Borg would trust it. Counts that are too low would in the end delete what is in use.
      throw new FileIntegrityError([`${this.#directory.path}/chunks [nothing tells whether it is whole]`]);
    }
    this.#chunks = this.#directory.readChunkIndex('chunks', { integrity, shared: true });
    if (!this.#filesCacheMode.includes('d')) this.#files = this.#loadFiles();
    if (this.#directory.exists('pre12-meta')) {
      this.preBorg12Metadata = decodePre12Metadata(this.#directory.readText('pre12-meta'));
    }
    this.#savedPre12Text = encodePre12Metadata(this.preBorg12Metadata);
  }

  /** A files cache that can't be used costs time and nothing else. */
  #loadFiles(): FilesCache {
    let message: string;
    try {
      const integrity = this.#config.integrity.get(this.#directory.filesName);
      return FilesCache.decode(this.#directory.readFilesCache(integrity), this.#filesCacheMode);
    } catch (error) {
      if (error instanceof MsgpackError) message = `The files cache seems invalid. [${error.message}]`;
      else if (error instanceof FileIntegrityError)
        message = `The files cache is corrupted. [${error.message}]`;
      else if (hasCode(error)) message = `The files cache can't be read. [${describeOsError(error)}]`;
      else throw error;
    }
    this.#warn(message);
    this.#warn('Continuing without files cache - expect lower performance.');
    return new FilesCache(this.#filesCacheMode);
  }

  /** Empties the cache, so that it is built anew. */
  #wipe(): void {
    this.#warn('Discarding incompatible or corrupted cache and forcing a cache rebuild');
    const directory = this.#directory;
    if (directory.hasFolder(ARCHIVE_INDEXES)) {
      directory.removeTree(ARCHIVE_INDEXES);
      directory.store.createFolder(ARCHIVE_INDEXES);
    }
    this.#config = this.#readConfigOrNew();
    // First of all: an empty index must never pass for what the manifest's archives refer to.
    this.#config.setWiped();
    this.#saveConfig();
    this.#chunks = ChunkIndex.withUsable(0, { shared: true });
    this.#config.integrity.set('chunks', directory.writeChunkIndex('chunks', this.#chunks));
    this.#config.integrity.set(directory.filesName, directory.writeFilesCache([]));
    if (this.#files !== undefined) this.#files = new FilesCache(this.#filesCacheMode);
    this.#config.setWiped();
    this.#saveConfig();
  }

  #readConfigOrNew(): CacheConfig {
    try {
      return this.#readConfig();
    } catch (error) {
      if (!isDamage(error)) throw error;
      return CacheConfig.create(this.subject.repository.idHex);
    }
  }

  #readConfig(): CacheConfig {
    const path = `${this.#directory.path}/config`;
    return CacheConfig.decode(this.#directory.readText('config'), path, this.subject.repository.idHex);
  }

  #isCompatible(): boolean {
    const { ignoredFeatures, mandatoryFeatures } = this.#config;
    // References that need a feature which the cache's writer ignored may be missing.
    if (!ignoredFeatures.isDisjointFrom(SUPPORTED_REPO_FEATURES)) return false;
    return mandatoryFeatures.isSubsetOf(SUPPORTED_REPO_FEATURES);
  }

  #noteFeatures(): void {
    for (const feature of this.subject.manifest.mandatoryFeatures()) {
      const known = SUPPORTED_REPO_FEATURES.has(feature);
      (known ? this.#config.mandatoryFeatures : this.#config.ignoredFeatures).add(feature);
    }
  }

  #saveConfig(): void {
    this.#directory.saveText('config', this.#config.encode(this.subject.repository.location));
  }

  #filesCacheTtl(): number {
    const text = this.#ctx.env['BORG_FILES_CACHE_TTL'] ?? String(DEFAULT_FILES_CACHE_TTL);
    if (!/^\s*[-+]?\d+\s*$/.test(text))
      throw new GeneralError([`BORG_FILES_CACHE_TTL is no number: ${text}`]);
    return Number(text);
  }

  #warn(message: string): void {
    this.#ctx.reporter.log('warning', message, LOGGER);
  }
}

/** Whether a file is damaged or missing, and all can be built anew. */
function isDamage(error: unknown): boolean {
  return error instanceof FileIntegrityError || hasCode(error, 'ENOENT');
}

/** Folder of the repository's cache, whether or not it is there. */
export function cacheDirectory(ctx: Context, repositoryIdHex: string): CacheDirectory {
  const store = new PosixStore(`${getCacheDir(ctx.env)}/${repositoryIdHex}`);
  return new CacheDirectory(store, ctx.env['BORG_FILES_CACHE_SUFFIX']);
}

/** Only one process at a time uses a cache. */
export function cacheLock(ctx: Context, directory: CacheDirectory, waitSeconds: number | undefined): Lock {
  return new Lock(directory.store, 'lock', {
    exclusive: true,
    timeoutSeconds: waitSeconds,
    reporter: ctx.reporter,
    signal: ctx.signal,
    identity: processIdentity(ctx),
  });
}

/** Removes all locks of the repository's cache, whoever holds them. */
export function breakCacheLock(ctx: Context, repositoryIdHex: string): void {
  const directory = cacheDirectory(ctx, repositoryIdHex);
  if (directory.exists()) cacheLock(ctx, directory, undefined).break();
}

/** Removes the repository's cache, if there is one. */
export function destroyCache(ctx: Context, repositoryIdHex: string): void {
  const directory = cacheDirectory(ctx, repositoryIdHex);
  // Without its config it is no cache any more, whatever happens from here on.
  if (directory.removeFile('config')) directory.removeTree('');
}
