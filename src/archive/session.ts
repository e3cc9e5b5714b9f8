/**
 * An opened repository with its manifest and key, checked to be the one that this client knows: what every command
 * starts from.
 *
 * Source: Borg 1.4.5, archiver.py, with_repository; cache.py, Cache.__new__.
 */
import { type CompressionSpec, DEFAULT_COMPRESSION } from '../compress/compression-spec.ts';
import { type Compressor, createCompressor } from '../compress/compressor.ts';
import { GeneralError } from '../errors.ts';
import type { Location } from '../format/location.ts';
import type { Key } from '../keys/key.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import type { Context } from '../util/context.ts';
import { AdHocCache } from './cache/adhoc-cache.ts';
import { assertSecure, readCacheConfig } from './assert-secure.ts';
import type { CacheSubject, ChunksCache } from './cache/chunks-cache.ts';
import { LocalCache, type LocalCacheOptions } from './cache/local-cache.ts';
import { Manifest, type Operation } from './manifest.ts';

export interface RepositoryOptions {
  readonly exclusive?: boolean | undefined;
  /** False: --bypass-lock. */
  readonly lock?: boolean | undefined;
  readonly lockWaitSeconds?: number | undefined;
  readonly appendOnly?: boolean | undefined;
  readonly storageQuotaBytes?: number | undefined;
}

/** Opens the repository at a location, on this machine or elsewhere. */
export type RepositoryOpener = (
  ctx: Context,
  location: Location,
  options: RepositoryOptions,
) => Promise<Repository>;

export interface SessionOptions extends RepositoryOptions {
  /** What is going to be done, to check that the repository demands nothing unknown for it. */
  readonly operations: readonly Operation[];
  /** Check that this is the repository that it was before. Default true. */
  readonly secure?: boolean | undefined;
  /** For what is written. Default lz4. */
  readonly compression?: CompressionSpec | undefined;
  readonly forceTamNotRequired?: boolean | undefined;
  /** Default: repositories of this machine only. */
  readonly open?: RepositoryOpener | undefined;
}

export interface CacheOptions extends LocalCacheOptions {
  /** Do without the local cache if it is not in step with the repository (--no-cache-sync). */
  readonly permitAdHoc?: boolean;
}

export class Session implements CacheSubject, AsyncDisposable {
  readonly ctx: Context;
  readonly location: Location;
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly compression: CompressionSpec;
  readonly compressor: Compressor;
  readonly lockWaitSeconds: number | undefined;

  constructor(
    ctx: Context,
    parts: {
      location: Location;
      repository: Repository;
      manifest: Manifest;
      compression?: CompressionSpec | undefined;
      lockWaitSeconds?: number | undefined;
    },
  ) {
    this.ctx = ctx;
    this.location = parts.location;
    this.repository = parts.repository;
    this.manifest = parts.manifest;
    this.compression = parts.compression ?? DEFAULT_COMPRESSION;
    this.compressor = createCompressor(this.compression);
    this.lockWaitSeconds = parts.lockWaitSeconds;
    parts.manifest.compressor = this.compressor;
  }

  get key(): Key {
    return this.manifest.key;
  }

  /** The client's cache of the repository; close it before the session. */
  async openCache(options: CacheOptions = {}): Promise<ChunksCache> {
    const lockWaitSeconds = options.lockWaitSeconds ?? this.lockWaitSeconds;
    if (options.permitAdHoc === true && !(await this.#cacheIsInStep(lockWaitSeconds))) {
      await assertSecure(this.ctx, this.manifest, { lockWaitSeconds });
      return AdHocCache.open(this.ctx, this);
    }
    return LocalCache.open(this.ctx, this, { ...options, lockWaitSeconds });
  }

  /** Rolls back what was not committed, and unlocks the repository. */
  close(): Promise<void> {
    return this.repository.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #cacheIsInStep(lockWaitSeconds: number | undefined): Promise<boolean> {
    const config = await readCacheConfig(
      this.ctx,
      this.repository.idHex,
      lockWaitSeconds,
      (config) => config,
    );
    return config?.manifestIdHex === this.manifest.idHex;
  }
}

/** Opens a repository of this machine. */
export const openLocalRepository: RepositoryOpener = (ctx, location, options) => {
  if (location.proto !== 'file') {
    throw new GeneralError([
      `${location.canonicalPath()}: repositories of other machines need an opener of their own`,
    ]);
  }
  const absolute = location.absolute(ctx.cwd);
  return openRepository(ctx, absolute.path, { ...options, location: absolute.canonicalPath() });
};

/**
 * @throws what opening a repository, its manifest and its key throws; RepositoryAccessAborted and the other errors
 *   of SecurityManager where it is not the repository that it was
 */
export async function openSession(
  ctx: Context,
  location: Location,
  options: SessionOptions,
): Promise<Session> {
  const repository = await (options.open ?? openLocalRepository)(ctx, location, options);
  try {
    const forceTamNotRequired = options.forceTamNotRequired ?? false;
    const manifest = await Manifest.load(ctx, repository, options.operations, { forceTamNotRequired });
    const { compression, lockWaitSeconds } = options;
    const session = new Session(ctx, { location, repository, manifest, compression, lockWaitSeconds });
    if (options.secure ?? true) await assertSecure(ctx, manifest, { lockWaitSeconds });
    return session;
  } catch (error) {
    await repository.close();
    throw error;
  }
}
