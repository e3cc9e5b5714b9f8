/**
 * Compares what segments hold with the checksums that clients made of it (segment-checksums.ts), in the same pass that
 * reads the segments.
 *
 * A CRC that is right says what was written to the segment, a checksum what was sent. Where they disagree, either the
 * object has changed on its way or since; or the segment is not the one that the checksums were made for, because someone
 * took segments out of the log by hand, as Borg's manual says, and Borg wrote others under their numbers. With the CRC that
 * the record names, it is the same entry, and has changed. With another one, its transaction decides: it is the old one if
 * all its records find their places, and the contents of at least one are right.
 */
import { TAG_PUT } from '../../format/segment.ts';
import { equalBytes } from '../../util/bytes.ts';
import type { HashIndex } from '../../util/hash-index.ts';
import { strongChecksum } from '../../util/strong-checksum.ts';
import { isCurrent } from '../replay.ts';
import { type ChecksumCursor, hasPlaceOf, readChecksums } from '../segment-checksums.ts';
import type { SegmentEntry } from '../segment-entries.ts';
import type { SegmentFiles } from '../segment-files.ts';
import type { ChecksumCounts } from '../check-result.ts';
import type { Findings } from './findings.ts';

export interface ChangedObject {
  readonly id: Uint8Array;
  readonly segment: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** The index points to it. */
  readonly isLive: boolean;
}

/** Of a segment, and summed up of a transaction. */
interface Tally {
  objects: number;
  verified: number;
  /** Records that are for other entries than those that are there. */
  strangers: number;
  changed: ChangedObject[];
  /** Perhaps changed, perhaps others. */
  suspects: ChangedObject[];
  matches: number;
}

export class ChecksumCheck {
  readonly #files: SegmentFiles;
  readonly #findings: Findings;
  /** Undefined where there is none on disk: all objects count as live. */
  readonly #index: HashIndex | undefined;
  readonly #counts = { objects: 0, verified: 0, changed: 0 };
  #segment = 0;
  #cursor: ChecksumCursor | undefined;
  #current = emptyTally();
  #transaction = emptyTally();

  constructor(files: SegmentFiles, findings: Findings, index: HashIndex | undefined) {
    this.#files = files;
    this.#findings = findings;
    this.#index = index;
  }

  get counts(): ChecksumCounts {
    const { objects, verified, changed } = this.#counts;
    return { objects, verified, changed, uncovered: objects - verified - changed };
  }

  begin(segment: number): void {
    this.#segment = segment;
    this.#cursor = readChecksums(this.#files, segment);
    this.#current = emptyTally();
  }

  /** The entries in order. */
  look(entry: SegmentEntry): void {
    if (entry.tag !== TAG_PUT) return;
    const tally = this.#current;
    const isLive = this.#index === undefined || isCurrent(this.#index, this.#segment, entry);
    if (isLive) tally.objects++;
    const record = this.#cursor?.at(entry.offset);
    if (record === undefined) return;
    const isRight = equalBytes(strongChecksum(entry.data), record.checksum);
    const isInPlace = hasPlaceOf(record, entry);
    if (isRight && isInPlace) {
      tally.matches++;
      if (isLive) tally.verified++;
      return;
    }
    const { offset, sizeBytes } = entry;
    const changed = { id: Uint8Array.from(record.key), segment: this.#segment, offset, sizeBytes, isLive };
    // Right contents under another key are no chance, either.
    if (isRight || (isInPlace && record.crc === entry.crc)) tally.changed.push(changed);
    else if (isInPlace) tally.suspects.push(changed);
    else tally.strangers++;
  }

  /** Of a segment that is not sound, nothing counts: it is reported as such. */
  end(isSound: boolean, endsWithCommit: boolean): void {
    const cursor = this.#cursor;
    this.#cursor = undefined;
    if (isSound) {
      if (cursor !== undefined) {
        // No PUT comes any more.
        cursor.at(Infinity);
        this.#current.strangers += cursor.strangers;
        this.#warnOf(cursor.damaged);
      }
      addTally(this.#transaction, this.#current);
    }
    if (endsWithCommit) this.finish();
  }

  /** Nothing more of the transaction will come. */
  finish(): void {
    const { objects, verified, changed, suspects, strangers, matches } = this.#transaction;
    this.#transaction = emptyTally();
    this.#counts.objects += objects;
    this.#counts.verified += verified;
    const isOriginal = matches > 0 && strangers === 0;
    for (const object of isOriginal ? [...changed, ...suspects] : changed) {
      if (object.isLive) this.#counts.changed++;
      this.#findings.reportChanged(object);
    }
  }

  #warnOf(damaged: number): void {
    if (damaged === 0) return;
    const text = `${damaged} checksums of segment ${this.#segment} are damaged: they count as missing`;
    this.#findings.say('warning', text);
  }
}

function emptyTally(): Tally {
  return {
    objects: 0,
    verified: 0,
    strangers: 0,
    changed: [],
    suspects: [],
    matches: 0,
  };
}

function addTally(sum: Tally, { changed, suspects, ...numbers }: Tally): void {
  sum.objects += numbers.objects;
  sum.verified += numbers.verified;
  sum.strangers += numbers.strangers;
  sum.matches += numbers.matches;
  for (const object of changed) sum.changed.push(object);
  for (const object of suspects) sum.suspects.push(object);
}
