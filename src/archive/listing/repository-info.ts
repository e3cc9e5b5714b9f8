/**
 * What JSON output says about the repository, whatever the command.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, basic_json_data and BorgJsonEncoder; cache.py, CacheStatsMixin.stats.
 */
import { decodeTimestamp } from '../../format/timestamp.ts';
import type { JsonValue } from '../../util/json-text.ts';
import { archiveLocalTime, formatIsoTime } from '../../util/wall-time.ts';
import type { RepositoryStatistics } from './archive-statistics.ts';
import type { Manifest } from '../manifest.ts';

/** The parts `repository`, `encryption` and, where there is one, `cache`; to be written with sorted keys. */
export function basicJsonData(
  manifest: Pick<Manifest, 'repository' | 'key' | 'timestamp'>,
  cache?: JsonValue,
): Record<string, JsonValue> {
  const { repository, key } = manifest;
  const modified = archiveLocalTime(decodeTimestamp(manifest.timestamp) / 1000n);
  return {
    repository: {
      id: repository.idHex,
      location: repository.location,
      last_modified: formatIsoTime(modified),
    },
    encryption: {
      mode: key.type.argName,
      keyfile: key.type.storage === 'keyfile' ? key.target : undefined,
    },
    ...(cache === undefined ? {} : { cache }),
  };
}

/** The `cache` part; `path` is missing for a cache that is not kept. */
export function cacheJson(statistics: RepositoryStatistics, path?: string): Record<string, JsonValue> {
  const stats = {
    total_size: statistics.totalSizeBytes,
    total_csize: statistics.totalCsizeBytes,
    unique_size: statistics.uniqueSizeBytes,
    unique_csize: statistics.uniqueCsizeBytes,
    total_unique_chunks: statistics.uniqueChunks,
    total_chunks: statistics.totalChunks,
  };
  return path === undefined ? { stats } : { path, stats };
}

/** How the repository's contents are protected, in words. */
export function formatEncryption({ key }: Pick<Manifest, 'key'>): string {
  const { name, storage } = key.type;
  const state = name === 'plaintext' || name === 'authenticated' ? 'No' : `Yes (${name})`;
  return `Encrypted: ${state}${storage === 'keyfile' ? `\nKey file: ${key.target}` : ''}`;
}
