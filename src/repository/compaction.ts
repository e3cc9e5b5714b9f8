/**
 * Compaction: the live entries of sparse segments are copied to the log's end, and the sparse segments removed.
 *
 * A DELETE is dropped only where no older segment can bring its PUT back: the shadow index knows the key, names no
 * older segment, and the DELETE was part of the last transaction whose index is on disk. Otherwise it moves along.
 * Segments are removed only after a COMMIT made their copies durable.
 *
 * Source: Borg 1.4.5 repository.py, compact_segments.
 */
import { ENTRY_HEADER_SIZE_BYTES, PUT_HEADER_SIZE_BYTES, TAG_DELETE, TAG_PUT } from '../format/segment.ts';
import { toBinaryString, toHex } from '../util/bytes.ts';
import { formatFileSize } from '../util/file-size.ts';
import type { Reporter } from '../util/reporter.ts';
import { addTo, isCurrent } from './replay.ts';
import { type ChecksumCursor, isRecordOf, readChecksums } from './segment-checksums.ts';
import type { RepositoryState } from './replay.ts';
import type { SegmentLog } from './segment-log.ts';
import type { SegmentEntry } from './segment-entries.ts';

export interface CompactionOptions {
  /** Compact segments of which more than this share can be freed, 0 to 1. */
  readonly threshold: number;
  /** The transaction whose index is on disk, if any. */
  readonly indexTransactionId: number | undefined;
  readonly reporter: Reporter;
  /** Ends the compaction early, in good order. */
  readonly signal: AbortSignal;
}

/** Compacts what is worth it. A COMMIT has been written before, and another one is the last thing written. */
export async function compactSegments(
  state: RepositoryState,
  log: SegmentLog,
  options: CompactionOptions,
): Promise<void> {
  await new Compaction(state, log, options).run();
}

class Compaction {
  readonly #state: RepositoryState;
  readonly #log: SegmentLog;
  readonly #options: CompactionOptions;
  /** Copied, and to be removed after the next COMMIT. */
  #unused: number[] = [];

  constructor(state: RepositoryState, log: SegmentLog, options: CompactionOptions) {
    this.#state = state;
    this.#log = log;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { hints } = this.#state;
    const { reporter, signal, threshold } = this.#options;
    if (hints.compact.size === 0) return this.#debug('nothing to do: compact empty');
    const quotaUseBefore = hints.storageQuotaUseBytes;
    this.#debug(`Compaction started (threshold is ${Math.trunc(threshold * 100)}%).`);
    const progress = reporter.percent(
      'repository.compact_segments',
      'Compacting segments %3.0f%%',
      hints.compact.size,
    );
    for (const [segment, freeableBytes] of [...hints.compact].toSorted(([a], [b]) => a - b)) {
      if (signal.aborted) break;
      if (this.#isWorthIt(segment, freeableBytes)) {
        this.#copyLive(segment);
        // Other work of this process gets its turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
      progress.advance();
    }
    progress.finish();
    this.#removeUnused(this.#log.commit());
    this.#log.files.removeEmptyFolders();
    const freed = formatFileSize(quotaUseBefore - hints.storageQuotaUseBytes);
    this.#say('info', `compaction freed about ${freed} repository space.`);
    this.#debug('compaction completed.');
  }

  #isWorthIt(segment: number, freeableBytes: number): boolean {
    const { hints } = this.#state;
    if (!this.#log.files.exists(segment)) {
      this.#say('warning', `segment ${segment} not found, but listed in compaction data`);
      hints.compact.delete(segment);
      hints.segments.delete(segment);
      return false;
    }
    const ratio = freeableBytes / this.#log.files.sizeBytes(segment)!;
    const freeable = `(maybe freeable: ${(100 * ratio).toFixed(2)}% [${freeableBytes} bytes])`;
    if (!(ratio > this.#options.threshold)) {
      this.#debug(`not compacting segment ${segment} ${freeable}`);
      return false;
    }
    if (!hints.segments.has(segment)) hints.segments.set(segment, 0);
    this.#debug(`compacting segment ${segment} with usage count ${hints.segments.get(segment)} ${freeable}`);
    return true;
  }

  #copyLive(segment: number): void {
    const { hints, index } = this.#state;
    const checksums = readChecksums(this.#log.files, segment);
    for (const entry of this.#log.entries(segment)) {
      if (entry.tag === TAG_PUT) {
        if (isCurrent(index, segment, entry)) this.#movePut(segment, entry, checksums);
        else this.#dropPut(segment, entry);
      } else if (entry.tag === TAG_DELETE && !index.has(entry.key)) {
        this.#moveOrDropDelete(segment, entry.key);
      }
    }
    this.#warnIfReferenced(segment, hints.segments.get(segment) ?? 0);
    this.#unused.push(segment);
  }

  #movePut(segment: number, entry: SegmentEntry, checksums: ChecksumCursor | undefined): void {
    const { hints, index } = this.#state;
    const { key, data } = entry;
    const record = checksums?.at(entry.offset);
    const checksum = record !== undefined && isRecordOf(record, entry) ? record.checksum : undefined;
    if (this.#log.startsSegment(key)) this.#removeUnused(this.#log.commitWithin());
    const offset = this.#log.appendPut(key, data, checksum);
    index.set(key, this.#log.segment, offset);
    addTo(hints.segments, this.#log.segment, 1);
    addTo(hints.segments, segment, -1);
  }

  /** The void PUT goes with its segment, so it no longer shadows anything. */
  #dropPut(segment: number, { key, data }: SegmentEntry): void {
    const { hints } = this.#state;
    const shadowed = hints.shadowIndex.get(toBinaryString(key));
    const at = shadowed?.indexOf(segment) ?? -1;
    // An empty list stays: it says that no older PUT exists, while no list says that nobody knows.
    if (at >= 0) shadowed!.splice(at, 1);
    hints.storageQuotaUseBytes -= data.length + PUT_HEADER_SIZE_BYTES;
  }

  #moveOrDropDelete(segment: number, key: Uint8Array): void {
    const { hints } = this.#state;
    const { indexTransactionId } = this.#options;
    const name = toBinaryString(key);
    const shadowed = hints.shadowIndex.get(name);
    const mayBringBack = shadowed === undefined || shadowed.some((older) => older < segment);
    // After a crash, removals of segments may come undone in any order; only below the index on disk is all settled.
    const isUnsettled = indexTransactionId === undefined || segment > indexTransactionId;
    if (mayBringBack || isUnsettled) {
      if (this.#log.startsSegment(key)) this.#removeUnused(this.#log.commitWithin());
      this.#log.appendDelete(key);
      addTo(hints.compact, this.#log.segment, PUT_HEADER_SIZE_BYTES);
      addTo(hints.segments, this.#log.segment, 0);
      return;
    }
    this.#debug(`dropping DEL for id ${toHex(key)} - seg ${segment}, iti ${indexTransactionId}`);
    if (shadowed.length === 0) hints.shadowIndex.delete(name);
  }

  /** After the COMMIT in `commitSegment`: the segments whose live entries were copied go. */
  #removeUnused(commitSegment: number): void {
    const { hints } = this.#state;
    addTo(hints.segments, commitSegment, 0);
    addTo(hints.compact, commitSegment, ENTRY_HEADER_SIZE_BYTES);
    for (const segment of this.#unused) {
      this.#debug(`complete_xfer: deleting unused segment ${segment}`);
      this.#warnIfReferenced(segment, hints.segments.get(segment) ?? 0);
      hints.segments.delete(segment);
      this.#log.removeSegment(segment);
      hints.compact.delete(segment);
    }
    this.#unused = [];
  }

  #warnIfReferenced(segment: number, count: number): void {
    if (count === 0) return;
    const detail = `(expected 0) for segment ${segment} - corrupted index or hints`;
    this.#say('warning', `Corrupted segment reference count ${count} ${detail}`);
  }

  #debug(message: string): void {
    this.#say('debug', message);
  }

  #say(level: 'debug' | 'info' | 'warning', message: string): void {
    this.#options.reporter.log(level, message, { logger: 'borg.repository' });
  }
}
