/**
 * Makes sure that a repository is the one that this client has seen before.
 *
 * Source: Borg 1.4.5, cache.py, SecurityManager.assert_secure and CacheConfig.
 */
import { SecurityManager } from '../keys/security-manager.ts';
import type { Context } from '../util/context.ts';
import { CacheConfig } from './cache/cache-config.ts';
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

/** Runs `use` with the cache's config while the cache is locked; gives undefined where there is no cache. */
export async function readCacheConfig<T>(
  ctx: Context,
  repositoryIdHex: string,
  lockWaitSeconds: number | undefined,
  use: (config: CacheConfig, save: (location: string) => void) => T | Promise<T>,
): Promise<T | undefined> {
  const directory = cacheDirectory(ctx, repositoryIdHex);
  if (!directory.exists('config')) return undefined;
  const lock = cacheLock(ctx, directory, lockWaitSeconds);
  await lock.acquire();
  try {
    const config = CacheConfig.decode(directory.readText('config'), `${directory.path}/config`);
    return await use(config, (location) => directory.saveText('config', config.encode(location)));
  } finally {
    await lock.release();
  }
}
