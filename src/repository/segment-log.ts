/**
 * The log: segments in order, of which the last may be open for writing. An entry's place is (segment, offset).
 *
 * Source: Borg 1.4.5 repository.py, LoggedIO.
 */
import { IntegrityError } from '../errors.ts';
import {
  COMMIT_ENTRY,
  MAGIC_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  TAG_COMMIT,
  checkDataSize,
} from '../format/segment.ts';
import type { EntryPlace } from '../format/segment.ts';
import { isReadError } from '../store/store.ts';
import type { Reporter } from '../util/reporter.ts';
import type { SealedPlace } from '../util/sealed.ts';
import { ChecksumWriter } from './checksum-writer.ts';
import { MANIFEST_ID } from './repository.ts';
import { OpenSegments, type SegmentLease } from './open-segments.ts';
import { PutReader } from './put-reader.ts';
import type { SegmentFiles } from './segment-files.ts';
import { endsWith, readEntries } from './segment-entries.ts';
import type { EntriesOptions, SegmentEntry } from './segment-entries.ts';
import { SegmentWriter, createWriteBuffer } from './segment-writer.ts';
import type { WriteBuffer } from './segment-writer.ts';

const READ_AHEAD_BYTES = 1024 * 1024;
/** Larger objects are read one by one: copying them costs more than a system call. */
const READ_AHEAD_GAP_BYTES = 128 * 1024;

export class SegmentLog {
  readonly files: SegmentFiles;
  readonly #open: OpenSegments;
  readonly #reader: PutReader;
  readonly #reporter: Reporter;
  readonly #maxSegmentSizeBytes: number;
  readonly #buffer: WriteBuffer = createWriteBuffer();
  readonly #checksums: ChecksumWriter;
  #writer: SegmentWriter | undefined;
  /** Number of the segment that is open, or will be opened next. */
  #segment = 0;

  constructor(files: SegmentFiles, maxSegmentSizeBytes: number, reporter: Reporter) {
    this.files = files;
    this.#open = new OpenSegments(files);
    this.#reader = new PutReader(this.#open);
    this.#maxSegmentSizeBytes = maxSegmentSizeBytes;
    this.#reporter = reporter;
    this.#checksums = new ChecksumWriter(files, reporter);
  }

  /** The segment that the last append went to. */
  get segment(): number {
    return this.#segment;
  }

  /** The segment before the one that is, or will be, open. */
  get lastClosedSegment(): number {
    return this.#segment - 1;
  }

  /** Whether appending an entry of this key will start another segment. */
  startsSegment(key: Uint8Array): boolean {
    return isManifest(key) || (this.#writer !== undefined && this.#writer.offset > this.#maxSegmentSizeBytes);
  }

  /** Appends a PUT to the log; it lies in `segment` at the offset that is returned. A checksum is kept beside it. */
  appendPut(key: Uint8Array, data: Uint8Array, checksum?: Uint8Array): number {
    checkDataSize(data);
    const writer = this.#writerFor(key);
    const { offset } = writer;
    const crc = writer.appendPut(key, data);
    if (checksum !== undefined) {
      const sizeBytes = PUT_HEADER_SIZE_BYTES + data.length;
      this.#checksums.add(this.#segment, { offset, sizeBytes, crc, key, checksum });
    }
    return offset;
  }

  appendDelete(key: Uint8Array): void {
    this.#writerFor(key).appendDelete(key);
  }

  /**
   * Ends the log so far by a COMMIT in a segment of its own, all before it durable first. Returns that segment: the
   * transaction id.
   */
  commit(): number {
    this.closeSegment();
    const writer = this.#openWriter();
    writer.appendCommit();
    this.closeSegment();
    this.#checksums.publish();
    return this.lastClosedSegment;
  }

  /**
   * A COMMIT at the end of the segment that is being written, durable in this order. Cheaper than `commit()`;
   * recognizing it means reading the whole segment.
   */
  commitWithin(): number {
    const writer = this.#writer ?? this.#openWriter();
    writer.sync();
    writer.appendCommit();
    this.closeSegment();
    this.#checksums.publish();
    return this.lastClosedSegment;
  }

  /** Makes the open segment durable and closes it. */
  closeSegment(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    this.#segment++;
    writer.close();
  }

  readPut(segment: number, offset: number, key: Uint8Array): Uint8Array {
    this.#flushFor(segment);
    return this.#reader.readPut(segment, offset, key);
  }

  /**
   * Reads the PUT at `places[from]` and those that lie close behind it, as far as they come next in `places`, at once,
   * so that readPut() finds them in memory. None that has more than `gapBytes` between it and the next.
   */
  readAhead(
    places: readonly (EntryPlace | undefined)[],
    from: number,
    gapBytes: number = READ_AHEAD_GAP_BYTES,
  ): void {
    const first = places[from]!;
    this.#flushFor(first.segment);
    let last = first;
    for (let next = from + 1; next < places.length; next++) {
      const place = places[next];
      if (place === undefined || place.segment !== first.segment || place.offset <= last.offset) break;
      if (place.offset - last.offset > gapBytes) break;
      if (place.offset - first.offset > READ_AHEAD_BYTES) break;
      last = place;
    }
    if (last !== first) this.#reader.load(first.segment, first.offset, last.offset - first.offset);
  }

  /** See PutReader.findPut(). */
  findPut(segment: number, offset: number, key: Uint8Array, fromBytes: number): SealedPlace | undefined {
    this.#flushFor(segment);
    return this.#reader.findPut(segment, offset, key, fromBytes);
  }

  /** See OpenSegments.lease(). */
  lease(segment: number): SegmentLease | undefined {
    this.#flushFor(segment);
    return this.#open.lease(segment);
  }

  readPutSize(segment: number, offset: number, key: Uint8Array): number {
    this.#flushFor(segment);
    return this.#reader.readPutSize(segment, offset, key);
  }

  /** Undefined where there is no such segment. */
  segmentSizeBytes(segment: number): number | undefined {
    return this.files.sizeBytes(segment);
  }

  /** The segment's first bytes, eight unless it is shorter. */
  readMagic(segment: number): Uint8Array {
    const magic = new Uint8Array(MAGIC_SIZE_BYTES);
    return magic.subarray(0, this.#open.file(segment).read(magic, 0));
  }

  entries(segment: number, options?: EntriesOptions): Generator<SegmentEntry> {
    this.#flushFor(segment);
    return readEntries(this.#open, segment, options);
  }

  /** Closes the segment's file, before it is removed or replaced. */
  forgetSegment(segment: number): void {
    this.#open.forget(segment);
    this.#reader.forget(segment);
  }

  removeSegment(segment: number): void {
    this.forgetSegment(segment);
    this.files.remove(segment);
  }

  /** Removes what comes after the transaction, undefined being before all; the log goes on from there. */
  removeUncommitted(transactionId: number | undefined): void {
    this.#writer?.abandon();
    this.#writer = undefined;
    this.#checksums.forget();
    const last = transactionId ?? -1;
    this.#segment = last + 1;
    let count = 0;
    for (const segment of this.files.descending()) {
      if (segment <= last) break;
      this.removeSegment(segment);
      count++;
    }
    this.files.removeChecksums(last + 1);
    this.#debug(`Cleaned up ${count} uncommitted segment files (== everything after segment ${last}).`);
  }

  /** The last segment that ends with a COMMIT: what the log as a whole is committed to. */
  lastCommitted(): number | undefined {
    for (const segment of this.files.descending()) if (this.isCommitted(segment)) return segment;
    return undefined;
  }

  /** Whether the segment's last bytes are those of a COMMIT; what is before them is not looked at. */
  endsWithCommit(segment: number): boolean {
    return endsWith(this.#open, segment, COMMIT_ENTRY);
  }

  /** Whether a COMMIT is at the segment's end, while other entries of it are damaged: they were committed with it. */
  isDamagedAndCommitted(segment: number): boolean {
    if (!this.endsWithCommit(segment)) return false;
    try {
      for (const _ of readEntries(this.#open, segment));
      return false;
    } catch (error) {
      if (error instanceof IntegrityError || isReadError(error)) return true;
      throw error;
    }
  }

  /** Whether all entries of the segment are sound, and its COMMITs are at its end. */
  isCommitted(segment: number): boolean {
    let committed = false;
    try {
      if (!this.endsWithCommit(segment)) return false;
      for (const { tag } of readEntries(this.#open, segment)) {
        if (tag === TAG_COMMIT) committed = true;
        else if (committed) return false;
      }
    } catch (error) {
      if (error instanceof IntegrityError) return false;
      throw error;
    }
    return committed;
  }

  /** Closes all files. What was not committed is left as it is: the next writer removes it. */
  close(): void {
    this.#writer?.abandon();
    this.#writer = undefined;
    this.#checksums.forget();
    this.#open.close();
  }

  #writerFor(key: Uint8Array): SegmentWriter {
    const writer = this.#writer;
    if (writer === undefined) return this.#openWriter();
    // Each manifest starts a segment, so that it lies apart from the data.
    if (writer.offset <= this.#maxSegmentSizeBytes && !isManifest(key)) return writer;
    this.closeSegment();
    return this.#openWriter();
  }

  #openWriter(): SegmentWriter {
    // There may be an open file of a removed segment of this number.
    this.forgetSegment(this.#segment);
    this.#writer = new SegmentWriter(this.files, this.#segment, this.#buffer);
    return this.#writer;
  }

  /** Has a reader see what lies in the writer's buffer. */
  #flushFor(segment: number): void {
    if (segment === this.#segment) this.#writer?.flush();
  }

  #debug(message: string): void {
    this.#reporter.log('debug', message, { logger: 'borg.repository' });
  }
}

function isManifest(key: Uint8Array): boolean {
  return key[0] === 0 && Buffer.compare(key, MANIFEST_ID) === 0;
}
