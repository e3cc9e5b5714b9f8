/**
 * Writes the checksums of a transaction beside its segments. While the transaction is under way, they gather in files that
 * nobody reads, `<segment>.sums.tmp`; they get their names when its COMMIT is durable. So a file of checksums is always
 * about a segment that was committed, whose number no other will have, unless someone takes segments out of the log.
 *
 * What can't be written is warned of and left out: the objects are stored all the same.
 */
import {
  CHECKSUMS_MAGIC,
  CHECKSUM_RECORD_BYTES,
  type ChecksumRecord,
  encodeChecksumRecordInto,
} from '../format/segment-checksums.ts';
import { hasCode } from '../store/store.ts';
import type { Store, WriteHandle } from '../store/store.ts';
import type { Reporter } from '../util/reporter.ts';
import type { SegmentFiles } from './segment-files.ts';

const BUFFERED_RECORDS = 1024;

export class ChecksumWriter {
  readonly #files: SegmentFiles;
  readonly #reporter: Reporter;
  #segment = -1;
  /** Undefined where nothing is being written, or where that failed. */
  #handle: WriteHandle | undefined;
  #buffer: Uint8Array = new Uint8Array(0);
  #bufferedBytes = 0;
  /** Segments of the transaction that have a file. */
  #written: number[] = [];

  constructor(files: SegmentFiles, reporter: Reporter) {
    this.#files = files;
    this.#reporter = reporter;
  }

  add(segment: number, record: ChecksumRecord): void {
    if (segment !== this.#segment) this.#begin(segment);
    if (this.#handle === undefined) return;
    if (this.#bufferedBytes === this.#buffer.length) {
      this.#guard(() => this.#flush());
      if (this.#handle === undefined) return;
    }
    encodeChecksumRecordInto(this.#buffer, this.#bufferedBytes, record);
    this.#bufferedBytes += CHECKSUM_RECORD_BYTES;
  }

  /** After the COMMIT is durable: gives the files their names, durably. */
  publish(): void {
    this.#end();
    const folders = new Set<string>();
    for (const segment of this.#written) {
      this.#segment = segment;
      const path = this.#files.checksumsPath(segment);
      this.#guard(() => {
        this.#store.syncFile(temporary(path));
        this.#store.rename(temporary(path), path);
        folders.add(path.slice(0, path.lastIndexOf('/')));
      });
    }
    for (const folder of folders) this.#guard(() => this.#store.syncFolder(folder));
    this.forget();
  }

  /** Leaves what was written to the next writer, who removes it. */
  forget(): void {
    this.#handle?.close();
    this.#handle = undefined;
    this.#bufferedBytes = 0;
    this.#segment = -1;
    this.#written = [];
  }

  get #store(): Store {
    return this.#files.store;
  }

  #begin(segment: number): void {
    this.#end();
    this.#segment = segment;
    if (this.#buffer.length === 0) this.#buffer = new Uint8Array(BUFFERED_RECORDS * CHECKSUM_RECORD_BYTES);
    this.#guard(() => {
      this.#handle = this.#store.createFile(temporary(this.#files.checksumsPath(segment)));
      this.#handle.write(CHECKSUMS_MAGIC);
      this.#written.push(segment);
    });
  }

  #end(): void {
    if (this.#handle === undefined) return;
    this.#guard(() => this.#flush());
    this.#handle?.close();
    this.#handle = undefined;
  }

  #flush(): void {
    const part = this.#buffer.subarray(0, this.#bufferedBytes);
    this.#bufferedBytes = 0;
    this.#handle!.write(part);
  }

  /** Has an error cost the segment's checksums, and nothing else. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!hasCode(error)) throw error;
      this.#handle?.close();
      this.#handle = undefined;
      this.#bufferedBytes = 0;
      this.#written = this.#written.filter((segment) => segment !== this.#segment);
      const text = `The checksums of segment ${this.#segment} can't be kept: ${error.message}`;
      this.#reporter.log('warning', text, { logger: 'borg.repository' });
    }
  }
}

function temporary(path: string): string {
  return `${path}.tmp`;
}
