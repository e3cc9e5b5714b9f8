/**
 * Makes sure that a repository is the one that this client has seen before.
 *
 * Source: Borg 1.4.5, cache.py, SecurityManager.assert_secure and CacheConfig.
 */
import { FileIntegrityError } from '../errors.ts';
import { SecurityManager } from '../keys/security-manager.ts';
import type { Context } from '../util/context.ts';
import { CacheConfig } from './cache/cache-config.ts';
import type { CacheDirectory } from './cache/cache-directory.ts';
import { cacheDirectory, cacheLock } from './cache/local-cache.ts';
import type { Manifest } from './manifest.ts';

/** Checks the repository against what the security folder and the cache remember of it. */
export async function assertSecure(
  ctx: Context,
  { repository, key, timestamp: manifestTimestamp }: Manifest,
  options: { lockWaitSeconds?: number | undefined; warnIfUnencrypted?: boolean },
): Promise<void> {
  const security = new SecurityManager(ctx, repository);
  const warnIfUnencrypted = options.warnIfUnencrypted ?? true;
  const checked = await readCacheConfig(
    ctx,
    repository.idHex,
    options.lockWaitSeconds,
    async (config, save) => {
      const { previousLocation, keyType, timestamp } = config;
      const cacheConfig = { previousLocation, keyType, timestamp, save: () => save(repository.location) };
      await security.assertSecure(key, manifestTimestamp, { cacheConfig, warnIfUnencrypted });
      return true;
    },
  );
  if (checked === undefined) await security.assertSecure(key, manifestTimestamp, { warnIfUnencrypted });
}

/**
 * Runs `use` with the cache's config while the cache is locked; gives undefined where there is no cache, or a damaged
 * one. What the security folder remembers is enough then. With `settle`, what a process has left that was killed is
 * undone before, so that it does not come back over what is saved here.
 */
export async function readCacheConfig<T>(
  ctx: Context,
  repositoryIdHex: string,
  lockWaitSeconds: number | undefined,
  use: (config: CacheConfig, save: (location: string) => void) => T | Promise<T>,
  { settle = false }: { readonly settle?: boolean } = {},
): Promise<T | undefined> {
  const directory = cacheDirectory(ctx, repositoryIdHex);
  if (!directory.exists('config')) return undefined;
  const lock = cacheLock(ctx, directory, lockWaitSeconds);
  await lock.acquire();
  try {
    if (settle) directory.rollback();
    const config = readConfig(ctx, directory, repositoryIdHex);
    if (config === undefined) return undefined;
    return await use(config, (location) => directory.saveText('config', config.encode(location)));
  } finally {
    await lock.release();
  }
}

function readConfig(
  ctx: Context,
  directory: CacheDirectory,
  repositoryIdHex: string,
): CacheConfig | undefined {
  try {
    return CacheConfig.decode(directory.readText('config'), `${directory.path}/config`, repositoryIdHex);
  } catch (error) {
    if (!(error instanceof FileIntegrityError)) throw error;
    const text = `${error.message} The cache will be rebuilt when it is used next.`;
    ctx.reporter.log('warning', text, { logger: 'borg.cache' });
    return undefined;
  }
}
