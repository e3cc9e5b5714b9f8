/**
 * The repository's `config`: INI text with the section `repository`:
 *
 *     version                1
 *     segments_per_dir       segments in one folder of data/
 *     max_segment_size       size at which a segment is closed; below 2^32 - 20 MiB, since offsets are 32 bits
 *     append_only            0 or 1
 *     storage_quota          bytes, 0 for none
 *     additional_free_space  bytes that have to stay free on the disk, e.g. 2G; 0 for none
 *     id                     64 hex digits
 *     key                    the key blob in base64, lines broken and indented; only with a repokey
 *     last_segment_checked   only while a partial check is under way
 *
 * While a rollback is under way, the version is 0, so that Borg stays away, and there is a section `rollback`:
 *
 *     transaction            the one that the repository goes back to
 *     quarantine             where what comes after it goes, a folder of the repository
 *     note                   what to do, for people
 *
 * Everything else in the file is kept as it is.
 * Source: Borg 1.4.5 repository.py, create and open.
 */
import { fromHex, toHex } from '../util/bytes.ts';
import { parseFileSize } from '../util/file-size.ts';
import { MAX_ENTRY_SIZE_BYTES } from './segment.ts';
import { IniError, decodeIni, encodeIni } from './ini.ts';
import type { Ini } from './ini.ts';

export const DEFAULT_SEGMENTS_PER_DIR = 1000;
export const DEFAULT_MAX_SEGMENT_SIZE_BYTES = 500 * 1024 * 1024;
/** Segments may grow by one entry beyond their maximum, and the offset of that entry must fit 32 bits. */
export const MAX_SEGMENT_SIZE_LIMIT_BYTES = 2 ** 32 - MAX_ENTRY_SIZE_BYTES;

/** Borg 1 opens no repository of this version. */
const VERSION_DURING_ROLLBACK = 0;

/** A rollback that is under way; after a crash, whoever opens the repository next finishes it. */
export interface StartedRollback {
  readonly transactionId: number;
  /** `quarantine/<time>` */
  readonly folder: string;
}

export interface RepositoryConfig {
  readonly segmentsPerDir: number;
  readonly maxSegmentSizeBytes: number;
  readonly appendOnly: boolean;
  readonly storageQuotaBytes: number;
  readonly additionalFreeSpaceBytes: number;
  readonly id: Uint8Array;
  readonly startedRollback?: StartedRollback | undefined;
  /** The file as it is, with all that we don't know; values are changed here and written back. */
  readonly ini: Ini;
}

/** The config is damaged, or not one for us; the message says what is wrong, to stand in brackets. */
export class RepositoryConfigError extends Error {
  override readonly name = 'RepositoryConfigError';
}

export function createRepositoryConfig(options: {
  id: Uint8Array;
  appendOnly?: boolean | undefined;
  storageQuotaBytes?: number | undefined;
}): RepositoryConfig {
  const { id, appendOnly = false, storageQuotaBytes = 0 } = options;
  const values = new Map([
    ['version', '1'],
    ['segments_per_dir', String(DEFAULT_SEGMENTS_PER_DIR)],
    ['max_segment_size', String(DEFAULT_MAX_SEGMENT_SIZE_BYTES)],
    ['append_only', appendOnly ? '1' : '0'],
    ['storage_quota', String(storageQuotaBytes)],
    ['additional_free_space', '0'],
    ['id', toHex(id)],
  ]);
  return {
    segmentsPerDir: DEFAULT_SEGMENTS_PER_DIR,
    maxSegmentSizeBytes: DEFAULT_MAX_SEGMENT_SIZE_BYTES,
    appendOnly,
    storageQuotaBytes,
    additionalFreeSpaceBytes: 0,
    id,
    ini: new Map([['repository', values]]),
  };
}

export function encodeRepositoryConfig(config: RepositoryConfig): string {
  return encodeIni(config.ini);
}

export function decodeRepositoryConfig(text: string): RepositoryConfig {
  let ini: Ini;
  try {
    ini = decodeIni(text);
  } catch (error) {
    if (error instanceof IniError) throw new RepositoryConfigError(error.message, { cause: error });
    throw error;
  }
  const values = ini.get('repository');
  if (values === undefined) throw new RepositoryConfigError('no repository section found');
  const version = integer(values, 'version');
  const startedRollback = version === VERSION_DURING_ROLLBACK ? rollback(ini.get('rollback')) : undefined;
  if (version !== 1 && startedRollback === undefined) {
    throw new RepositoryConfigError(`repository version ${version} is not supported by this borg version`);
  }
  const maxSegmentSizeBytes = size(values, 'max_segment_size');
  if (maxSegmentSizeBytes >= MAX_SEGMENT_SIZE_LIMIT_BYTES) {
    throw new RepositoryConfigError(`max_segment_size >= ${MAX_SEGMENT_SIZE_LIMIT_BYTES}`);
  }
  const segmentsPerDir = integer(values, 'segments_per_dir');
  if (segmentsPerDir < 1) throw new RepositoryConfigError(`segments_per_dir is ${segmentsPerDir}`);
  return {
    segmentsPerDir,
    maxSegmentSizeBytes,
    appendOnly: boolean(values, 'append_only'),
    storageQuotaBytes: size(values, 'storage_quota', '0'),
    additionalFreeSpaceBytes: size(values, 'additional_free_space', '0'),
    id: repositoryId(values),
    ...(startedRollback === undefined ? {} : { startedRollback }),
    ini,
  };
}

/** Marks the rollback as under way; `undefined` marks its end. */
export function setStartedRollback({ ini }: RepositoryConfig, started: StartedRollback | undefined): void {
  const values = ini.get('repository')!;
  values.set('version', started === undefined ? '1' : String(VERSION_DURING_ROLLBACK));
  if (started === undefined) ini.delete('rollback');
  else {
    const note =
      'A rollback is under way. If it was interrupted, "alcove history" on this machine finishes it.';
    const { transactionId, folder } = started;
    ini.set(
      'rollback',
      new Map([
        ['transaction', String(transactionId)],
        ['quarantine', folder],
        ['note', note],
      ]),
    );
  }
}

function rollback(values: Map<string, string> | undefined): StartedRollback | undefined {
  if (values === undefined) return undefined;
  const transaction = required(values, 'transaction');
  const folder = required(values, 'quarantine');
  if (!/^[0-9]{1,10}$/.test(transaction) || !/^quarantine\/[0-9TZ-]{1,40}$/.test(folder)) {
    throw new RepositoryConfigError('the section rollback is damaged');
  }
  return { transactionId: Number(transaction), folder };
}

function required(values: Map<string, string>, key: string): string {
  const value = values.get(key);
  if (value === undefined) throw new RepositoryConfigError(`no ${key} found`);
  return value;
}

function integer(values: Map<string, string>, key: string): number {
  const text = required(values, key);
  if (!/^\s*[+-]?[0-9]+\s*$/.test(text)) throw new RepositoryConfigError(`${key} is not a number`);
  return Number(text);
}

function size(values: Map<string, string>, key: string, fallback?: string): number {
  const text = values.get(key) ?? fallback ?? required(values, key);
  let sizeBytes: number;
  try {
    sizeBytes = parseFileSize(text);
  } catch (error) {
    throw new RepositoryConfigError(`${key} is not a size`, { cause: error });
  }
  if (sizeBytes < 0) throw new RepositoryConfigError(`${key} is negative`);
  return sizeBytes;
}

function boolean(values: Map<string, string>, key: string): boolean {
  const text = (values.get(key) ?? '0').toLowerCase();
  if (['1', 'yes', 'true', 'on'].includes(text)) return true;
  if (['0', 'no', 'false', 'off'].includes(text)) return false;
  throw new RepositoryConfigError(`${key} is neither 0 nor 1`);
}

function repositoryId(values: Map<string, string>): Uint8Array {
  try {
    return fromHex(required(values, 'id').trim(), 32);
  } catch (error) {
    if (error instanceof RepositoryConfigError) throw error;
    throw new RepositoryConfigError('id is not 64 hex digits', { cause: error });
  }
}
