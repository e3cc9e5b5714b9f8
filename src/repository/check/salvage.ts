/**
 * Finds the sound entries of a damaged segment, also behind the damage.
 *
 * Entries follow one another without marks between them. Where one is damaged, its own size may still lead to the next;
 * else the next is looked for at every byte. What is found so might be no entry of this repository: a stored file can
 * hold a segment of another one, byte for byte. So what is found by looking is checked against an index, where there is
 * one that can be trusted, until the index confirms that a place is the start of an entry: a PUT must not be one that
 * the index does not know or has from earlier in the log (unless bytes came into the segment that moved it), a DELETE
 * must not be of an object that was stored before it. Without such an index a CRC is all there is to go by.
 */
import {
  ENTRY_HEADER_SIZE_BYTES,
  KEY_SIZE_BYTES,
  MAGIC_SIZE_BYTES,
  MAX_ENTRY_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  SEGMENT_MAGIC,
  TAG_COMMIT,
  TAG_DELETE,
  TAG_PUT,
  readUint32,
} from '../../format/segment.ts';
import type { ReadHandle } from '../../store/store.ts';
import { crc32 } from '../../util/crc32.ts';
import { ByteRanges } from '../../util/byte-ranges.ts';
import type { ByteRange } from '../../util/byte-ranges.ts';
import { equalBytes } from '../../util/bytes.ts';
import type { HashIndex } from '../../util/hash-index.ts';
import { PatientReader } from './patient-reader.ts';
import type { EntryRecord } from './salvaged-segment.ts';

export interface SalvageOptions {
  /** Bytes that are not to be believed. */
  readonly bad?: Iterable<ByteRange> | undefined;
  /** The index of the state that is being restored, if it can be trusted. */
  readonly index?: HashIndex | undefined;
  /** Lets other work of the process have its turn. */
  readonly breathe: () => Promise<void>;
}

export interface Salvage {
  /** Sound entries, at their places in the damaged segment. */
  readonly entries: readonly EntryRecord[];
  /** What holds no sound entry; the magic counts as one. */
  readonly lost: ByteRanges;
  /** What could not be read. */
  readonly bad: ByteRanges;
  readonly sizeBytes: number;
}

/** How much is read at once. */
const WINDOW_SIZE_BYTES = 1024 * 1024;

export async function salvageSegment(
  handle: ReadHandle,
  segment: number,
  options: SalvageOptions,
): Promise<Salvage> {
  return new Salvager(handle, segment, options).run();
}

class Salvager {
  readonly #reader: PatientReader;
  readonly #segment: number;
  readonly #options: SalvageOptions;
  readonly #entries: EntryRecord[] = [];
  readonly #kept = new ByteRanges();
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(handle: ReadHandle, segment: number, options: SalvageOptions) {
    this.#reader = new PatientReader(handle, options.bad);
    this.#segment = segment;
    this.#options = options;
  }

  async run(): Promise<Salvage> {
    const { bad, sizeBytes } = this.#reader;
    const hasMagic = this.#hasMagic();
    if (hasMagic) this.#kept.add(0, MAGIC_SIZE_BYTES);
    // Whether an entry must begin here, since one ended here.
    let isStart = hasMagic || this.#soundEntryAt(MAGIC_SIZE_BYTES) !== undefined;
    let offset = isStart ? MAGIC_SIZE_BYTES : 0;
    let breathedAt = 0;
    while (offset < sizeBytes) {
      if (offset - breathedAt >= WINDOW_SIZE_BYTES) {
        breathedAt = offset;
        await this.#options.breathe();
      }
      const entry = this.#soundEntryAt(offset);
      const verdict = entry === undefined ? 'refused' : isStart ? 'confirmed' : this.#judge(entry);
      if (entry !== undefined && verdict !== 'refused') {
        this.#entries.push(entry);
        this.#kept.add(offset, entry.sizeBytes);
        isStart ||= verdict === 'confirmed';
        offset += entry.sizeBytes;
        continue;
      }
      const next = isStart && entry === undefined ? this.#nextBySize(offset) : undefined;
      isStart = next !== undefined;
      offset = next ?? (await this.#search(offset + (entry?.sizeBytes ?? 1)));
    }
    return { entries: this.#entries, lost: this.#kept.outside(sizeBytes), bad, sizeBytes };
  }

  #hasMagic(): boolean {
    const there = this.#load(0, MAGIC_SIZE_BYTES);
    return (
      there === MAGIC_SIZE_BYTES && this.#isGood(0, there) && equalBytes(this.#view(0, there), SEGMENT_MAGIC)
    );
  }

  /** Whether what was found by looking for it may be what it seems. */
  #judge({ tag, key, offset, sizeBytes }: EntryRecord): 'confirmed' | 'possible' | 'refused' {
    // A COMMIT is the last entry of its segment.
    if (tag === TAG_COMMIT) return offset + sizeBytes === this.#reader.sizeBytes ? 'possible' : 'refused';
    const { index } = this.#options;
    if (index === undefined) return 'possible';
    const bucket = index.find(key);
    if (bucket < 0) return tag === TAG_DELETE ? 'possible' : 'refused';
    const segment = index.valueAt(bucket, 0);
    const place = index.valueAt(bucket, 1);
    if (segment !== this.#segment) return segment > this.#segment ? 'possible' : 'refused';
    if (place > offset) return 'possible';
    if (tag === TAG_DELETE) return 'refused';
    if (place === offset) return 'confirmed';
    const there = this.#soundEntryAt(place);
    return there?.tag === TAG_PUT && equalBytes(there.key, key) ? 'refused' : 'possible';
  }

  /** Where the damaged entry ends, by its own word, if a sound entry or the end of the segment is there. */
  #nextBySize(offset: number): number | undefined {
    if (this.#load(offset, ENTRY_HEADER_SIZE_BYTES) < ENTRY_HEADER_SIZE_BYTES) return undefined;
    if (!this.#isGood(offset, ENTRY_HEADER_SIZE_BYTES)) return undefined;
    const sizeBytes = plausibleSize(this.#window, offset - this.#windowStart);
    if (sizeBytes === undefined) return undefined;
    const next = offset + sizeBytes;
    return next === this.#reader.sizeBytes || this.#soundEntryAt(next) !== undefined ? next : undefined;
  }

  /** The next place from here on at which there is a sound entry, else the end of the segment. */
  async #search(from: number): Promise<number> {
    const { sizeBytes } = this.#reader;
    let offset = from;
    while (offset + ENTRY_HEADER_SIZE_BYTES <= sizeBytes) {
      this.#load(offset, Math.min(WINDOW_SIZE_BYTES, sizeBytes - offset));
      const end = Math.min(this.#windowEnd, offset + WINDOW_SIZE_BYTES) - ENTRY_HEADER_SIZE_BYTES;
      for (; offset <= end; offset++) {
        if (plausibleSize(this.#window, offset - this.#windowStart) === undefined) continue;
        if (this.#soundEntryAt(offset) !== undefined) return offset;
      }
      await this.#options.breathe();
    }
    return sizeBytes;
  }

  #soundEntryAt(offset: number): EntryRecord | undefined {
    if (this.#load(offset, ENTRY_HEADER_SIZE_BYTES) < ENTRY_HEADER_SIZE_BYTES) return undefined;
    const sizeBytes = plausibleSize(this.#window, offset - this.#windowStart);
    if (sizeBytes === undefined || offset + sizeBytes > this.#reader.sizeBytes) return undefined;
    if (!this.#isGood(offset, sizeBytes)) return undefined;
    this.#load(offset, sizeBytes);
    // Again: reading may have shown that the disk does not give it.
    if (!this.#isGood(offset, sizeBytes)) return undefined;
    const bytes = this.#view(offset, sizeBytes);
    if (crc32(bytes.subarray(4)) !== readUint32(bytes, 0)) return undefined;
    const tag = bytes[8]!;
    const keyEnd = ENTRY_HEADER_SIZE_BYTES + (tag === TAG_COMMIT ? 0 : KEY_SIZE_BYTES);
    return { tag, key: Uint8Array.from(bytes.subarray(ENTRY_HEADER_SIZE_BYTES, keyEnd)), offset, sizeBytes };
  }

  #isGood(offset: number, sizeBytes: number): boolean {
    return this.#reader.bad.firstIn(offset, sizeBytes) === undefined;
  }

  get #windowEnd(): number {
    return this.#windowStart + this.#window.length;
  }

  /** Has the window hold `sizeBytes` from `offset`; returns how many of them there are. */
  #load(offset: number, sizeBytes: number): number {
    const there = Math.min(sizeBytes, this.#reader.sizeBytes - offset);
    if (there <= 0) return 0;
    if (offset >= this.#windowStart && offset + there <= this.#windowEnd) return there;
    // More than is asked for: garbage looks like the header of a large entry every few KiB.
    const wanted = Math.min(Math.max(2 * there, WINDOW_SIZE_BYTES), this.#reader.sizeBytes - offset);
    const buffer = this.#window.buffer.byteLength >= wanted ? this.#window.buffer : new ArrayBuffer(wanted);
    this.#window = new Uint8Array(buffer, 0, wanted);
    this.#reader.read(this.#window, offset);
    this.#windowStart = offset;
    return there;
  }

  #view(offset: number, sizeBytes: number): Uint8Array {
    const at = offset - this.#windowStart;
    return this.#window.subarray(at, at + sizeBytes);
  }
}

/** The size of the entry whose header is at this place, if it looks like one. */
function plausibleSize(bytes: Uint8Array, at: number): number | undefined {
  const tag = bytes[at + 8]!;
  if (tag > TAG_COMMIT) return undefined;
  const sizeBytes = readUint32(bytes, at + 4);
  if (tag === TAG_PUT) {
    return sizeBytes >= PUT_HEADER_SIZE_BYTES && sizeBytes <= MAX_ENTRY_SIZE_BYTES ? sizeBytes : undefined;
  }
  return sizeBytes === (tag === TAG_DELETE ? PUT_HEADER_SIZE_BYTES : ENTRY_HEADER_SIZE_BYTES)
    ? sizeBytes
    : undefined;
}
