/**
 * Whose turn it is to be read again although the files cache knows it unchanged (--files-cache-verify).
 *
 * A file's place on a ring of 2^32 is the start of its path hash. Each backup reads the files in a window of the ring
 * as wide as the percentage says; the next backup's window begins where that one ended, so that all files are covered
 * within 100/PERCENT backups, whatever PERCENT is each time. Where the window begins is kept in a file of the cache's
 * folder, for each list of things backed up: two jobs that share a cache would else take turns in skipping the same
 * files. It is written when the archive is committed: a backup that is killed is done again with the same window.
 * Concurrent backups can't meet here: a cache has one user at a time, and each files cache a file of its own.
 *
 * JSON: `{"version": 1, "positions": {"<series, 32 hex digits>": 123}}`, the series that moved last at the end.
 */
import { hasCode } from '../../store/store.ts';
import { describeOsError } from '../../platform/os-error.ts';
import { toHex } from '../../util/bytes.ts';
import type { Reporter } from '../../util/reporter.ts';
import { GeneralWarning } from '../../errors.ts';
import type { CacheDirectory } from './cache-directory.ts';

const RING = 2 ** 32;
const SERIES_BYTES = 16;
/** Of jobs that are gone nobody tells us. */
const MAX_SERIES = 100;
const LOGGER = { logger: 'borg.cache' };

export class VerifyRotation {
  readonly #directory: CacheDirectory;
  readonly #reporter: Reporter;
  readonly #series: string;
  readonly #positions: Map<string, number>;
  readonly #width: number;

  /** `series` is the hash of what is backed up. The cache is locked by the caller. */
  constructor(directory: CacheDirectory, series: Uint8Array, percent: number, reporter: Reporter) {
    this.#directory = directory;
    this.#reporter = reporter;
    this.#series = toHex(series.subarray(0, SERIES_BYTES));
    this.#width = Math.min(RING, Math.ceil((percent / 100) * RING));
    this.#positions = this.#read();
  }

  isDue(pathHash: Uint8Array): boolean {
    const [a, b, c, d] = pathHash as unknown as [number, number, number, number];
    const place = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    return (place - this.#position + RING) % RING < this.#width;
  }

  /** Moves on for the next backup. That the file can't be written is a warning: the same files are next again. */
  advance(): void {
    const next = (this.#position + this.#width) % RING;
    this.#positions.delete(this.#series);
    this.#positions.set(this.#series, next);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > MAX_SERIES) this.#positions.delete(oldest!);
    const positions = Object.fromEntries(this.#positions);
    try {
      this.#directory.saveText(this.#fileName, `${JSON.stringify({ version: 1, positions })}\n`);
    } catch (error) {
      if (!hasCode(error)) throw error;
      const what = `${this.#directory.path}/${this.#fileName} can't be written (${describeOsError(error)})`;
      this.#reporter.warn(new GeneralWarning([`${what}: the next backup verifies the same files again.`]));
    }
  }

  get #position(): number {
    return this.#positions.get(this.#series) ?? 0;
  }

  get #fileName(): string {
    return `alcove-verified.${this.#directory.filesName}`;
  }

  #read(): Map<string, number> {
    if (!this.#directory.exists(this.#fileName)) return new Map();
    let reason = 'it is damaged';
    try {
      const positions = decodePositions(this.#directory.readText(this.#fileName));
      if (positions !== undefined) return positions;
    } catch (error) {
      if (!hasCode(error)) throw error;
      reason = describeOsError(error);
    }
    const what = `${this.#directory.path}/${this.#fileName} can't be used: ${reason}.`;
    this.#reporter.log('warning', `${what} The verification of files starts from the beginning.`, LOGGER);
    return new Map();
  }
}

function decodePositions(text: string): Map<string, number> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value['version'] !== 1 || !isRecord(value['positions'])) return undefined;
  const positions = new Map<string, number>();
  for (const [series, position] of Object.entries(value['positions'])) {
    if (!Number.isInteger(position) || Number(position) < 0 || Number(position) >= RING) return undefined;
    if (!/^[0-9a-f]{32}$/.test(series)) return undefined;
    positions.set(series, Number(position));
  }
  return positions;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
