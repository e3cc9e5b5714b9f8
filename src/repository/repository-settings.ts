/**
 * Values of a repository's config that its owner may see and change. One that would make the repository unreadable is
 * refused, also where Borg takes it: Borg itself could not open the repository any more to change it back.
 *
 * Source: Borg 1.4.5 archiver.py, do_config.
 */
import { GeneralError } from '../errors.ts';
import { encodeIni, type Ini } from '../format/ini.ts';
import { withIniValue, withoutIniValue } from '../format/ini-values.ts';
import {
  decodeRepositoryConfig,
  MAX_SEGMENT_SIZE_LIMIT_BYTES,
  RepositoryConfigError,
  type RepositoryConfig,
} from '../format/repository-config.ts';
import type { Reporter } from '../util/reporter.ts';
import { parseFileSize } from '../util/file-size.ts';
import { saveConfig } from './config-file.ts';
import type { SegmentRepository } from './segment-repository.ts';

const SECTION = 'repository';
const MIN_SIZE_BYTES = 10_000_000;

type Check = (value: string) => string | undefined;

/** By name: what is wrong with a value. */
const CHECKS: Readonly<Record<string, Check>> = {
  segments_per_dir: integerProblem,
  last_segment_checked: integerProblem,
  max_segment_size: (value) =>
    sizeProblem(value, (sizeBytes) =>
      sizeBytes >= MAX_SEGMENT_SIZE_LIMIT_BYTES
        ? `max_segment_size >= ${MAX_SEGMENT_SIZE_LIMIT_BYTES}`
        : undefined,
    ),
  storage_quota: (value) => atLeast10M('storage_quota', value),
  additional_free_space: (value) => atLeast10M('additional_free_space', value),
  append_only: (value) => (value === '0' || value === '1' ? undefined : 'neither 0 nor 1'),
  id: (value) => (/^[0-9a-fA-F]{64}$/.test(value) ? undefined : 'not 64 hex digits'),
};

/** In the order in which they are shown, with what holds where the config does not say. */
export function listSettings(config: RepositoryConfig): [name: string, value: string][] {
  const stored = config.ini.get(SECTION)!;
  const defaults: [string, string][] = [
    ['version', '1'],
    ['segments_per_dir', String(config.segmentsPerDir)],
    ['max_segment_size', String(config.maxSegmentSizeBytes)],
    ['storage_quota', String(config.storageQuotaBytes)],
    ['additional_free_space', String(config.additionalFreeSpaceBytes)],
    ['append_only', config.appendOnly ? '1' : '0'],
    ['id', ''],
  ];
  const shown = defaults.map(([name, fallback]): [string, string] => [name, stored.get(name) ?? fallback]);
  const checked = stored.get('last_segment_checked');
  return checked === undefined ? shown : [...shown, ['last_segment_checked', checked]];
}

/** Throws a GeneralError where there is no such value to change, or the new one is not possible. */
export function changeSetting(
  repository: SegmentRepository,
  reporter: Reporter,
  section: string,
  name: string,
  value: string,
): void {
  const problem = checkOf(section, name)(value);
  if (problem !== undefined) throw invalid(name, value, problem);
  save(repository, reporter, withIniValue(repository.config.ini, section, name, value));
}

/** Throws a GeneralError where there is no such value to delete, or the repository can't do without it. */
export function deleteSetting(
  repository: SegmentRepository,
  reporter: Reporter,
  section: string,
  name: string,
): void {
  checkOf(section, name);
  save(repository, reporter, withoutIniValue(repository.config.ini, section, name));
}

function checkOf(section: string, name: string): Check {
  if (section !== SECTION) throw new GeneralError([`Invalid section: ${section}`]);
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  if (check === undefined) throw new GeneralError([`Invalid name: ${name}`]);
  return check;
}

function save(repository: SegmentRepository, reporter: Reporter, ini: Ini): void {
  let config: RepositoryConfig;
  try {
    config = decodeRepositoryConfig(encodeIni(ini));
  } catch (error) {
    if (!(error instanceof RepositoryConfigError)) throw error;
    throw new GeneralError([`The repository could not be opened any more: ${error.message}`], error);
  }
  assertSegmentsStay(repository, config);
  saveConfig(repository.store, config, reporter);
}

/** A segment is looked for in the folder that its number divided by segments_per_dir gives. */
function assertSegmentsStay(repository: SegmentRepository, { segmentsPerDir }: RepositoryConfig): void {
  const before = repository.config.segmentsPerDir;
  if (segmentsPerDir === before) return;
  for (const segment of repository.log.files.ascending()) {
    if (Math.floor(segment / before) === Math.floor(segment / segmentsPerDir)) continue;
    throw new GeneralError([
      `Invalid value: with segments_per_dir = ${segmentsPerDir} segment ${segment} would not be found, ` +
        `since it lies in a folder of ${before}.`,
    ]);
  }
}

function invalid(name: string, value: string, problem: string): GeneralError {
  return new GeneralError([`Invalid value for ${name}: ${JSON.stringify(value)}: ${problem}`]);
}

function integerProblem(value: string): string | undefined {
  return /^\s*[+-]?\d+\s*$/.test(value) ? undefined : 'not a number';
}

function atLeast10M(name: string, value: string): string | undefined {
  return sizeProblem(value, (sizeBytes) =>
    sizeBytes !== 0 && sizeBytes < MIN_SIZE_BYTES ? `${name} < 10M` : undefined,
  );
}

function sizeProblem(value: string, check: (sizeBytes: number) => string | undefined): string | undefined {
  try {
    return check(parseFileSize(value));
  } catch (error) {
    if (error instanceof RangeError) return 'not a size';
    throw error;
  }
}
