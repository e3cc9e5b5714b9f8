/**
 * What the segments that were checked give: the state of the repository, without what is damaged, and how the index that
 * was found on disk differs from it.
 *
 * Source: Borg 1.4.5 repository.py, check.
 */
import type { Context } from '../../util/context.ts';
import type { HashIndex } from '../../util/hash-index.ts';
import { emptyState, followSegment } from '../replay.ts';
import type { RepositoryState, SegmentSizes } from '../replay.ts';
import type { SegmentLog } from '../segment-log.ts';
import { describeDifferences, haveSameEntries } from './compare-indexes.ts';
import type { EntryList } from './entry-list.ts';
import type { Findings } from './findings.ts';
import { IndexComparison } from './index-comparison.ts';
import type { DamagedSegment } from './repair-plan.ts';
import { SalvagedSegment } from './salvaged-segment.ts';
import type { EntryRecord } from './salvaged-segment.ts';
import type { UnsoundSegment } from './segment-scan.ts';
import { breathe } from './segment-scan.ts';

export interface CheckedSegmentsNeeds {
  readonly context: Context;
  readonly log: SegmentLog;
}

export class CheckedSegments implements SegmentSizes {
  readonly #context: Context;
  readonly #log: SegmentLog;
  readonly #findings: Findings;
  readonly #isRepair: boolean;
  readonly #damaged = new Map<number, DamagedSegment>();
  /** Without a repair it is made only where the index on disk may be another one. */
  readonly #state: RepositoryState = emptyState();
  #comparison: IndexComparison | undefined;

  constructor({ context, log }: CheckedSegmentsNeeds, findings: Findings, isRepair: boolean) {
    this.#context = context;
    this.#log = log;
    this.#findings = findings;
    this.#isRepair = isRepair;
  }

  /** What segments are compared with as they are read. */
  get comparison(): IndexComparison | undefined {
    return this.#comparison;
  }

  /** What a repair would leave, with objects where they will be. */
  get state(): RepositoryState {
    return this.#state;
  }

  get damaged(): readonly DamagedSegment[] {
    return [...this.#damaged.values()];
  }

  /** Has the segments only compared with the index on disk, which nobody may change meanwhile. */
  compareWith(committed: HashIndex): void {
    this.#comparison = new IndexComparison(committed);
  }

  /** Takes the next segment. */
  addSound(segment: number, entries: EntryList): void {
    if (this.#comparison === undefined) this.#follow(segment, entries);
    else this.#comparison.follow(segment, entries);
  }

  /** Takes the next segment. Without a repair, nobody can read a damaged one: Borg counts it as lost. */
  addDamaged(segment: number, { entries, bad, lost, sizeBytes }: UnsoundSegment): void {
    const salvaged = new SalvagedSegment(entries);
    this.#damaged.set(segment, { segment, sizeBytes, bad, lostBytes: lost.sizeBytes, salvaged });
    if (this.#comparison === undefined) this.#follow(segment, this.#isRepair ? salvaged.moved(entries) : []);
  }

  segmentSizeBytes(segment: number): number | undefined {
    return this.#damaged.get(segment)?.salvaged.sizeBytes ?? this.#log.segmentSizeBytes(segment);
  }

  readPutSize(segment: number, offset: number, key: Uint8Array): number {
    const source = this.#damaged.get(segment)?.salvaged.source(offset) ?? offset;
    return this.#log.readPutSize(segment, source, key);
  }

  /** Says how the index on disk differs from that of the segments up to `last`, which are all that were added. */
  async tellDifferences(committed: HashIndex, last: number): Promise<void> {
    const { index } = this.#state;
    const isSame = this.#damaged.size === 0 && this.#comparison?.isSame === true;
    if (!isSame) {
      if (this.#comparison !== undefined) await this.#followAll(last);
      this.#listLostObjects(committed);
    }
    // Borg says nothing of differences that it removes, and compares nothing with an index of no entries.
    if (this.#isRepair) {
      if (haveSameEntries(index, committed)) return;
      return this.#findings.list({ kind: 'index', text: 'The index is not that of the segments.' });
    }
    if (committed.size === 0) return;
    if (isSame || committed.size === index.size) this.#findings.say('info', 'Index object count match.');
    else {
      this.#findings.report({ kind: 'index', text: 'Index object count mismatch.' });
      this.#findings.report({ kind: 'index', text: `committed index: ${committed.size} objects` });
      this.#findings.report({ kind: 'index', text: `rebuilt index:   ${index.size} objects` });
    }
    if (isSame) return;
    for (const text of describeDifferences(index, committed)) {
      this.#findings.error(text);
    }
  }

  /** The index of the state, with objects where they are before the repair. The state is of no use then. */
  indexBeforeRepair(): HashIndex {
    const { index } = this.#state;
    for (const bucket of index.usedBuckets()) {
      const damaged = this.#damaged.get(index.valueAt(bucket, 0));
      if (damaged === undefined) continue;
      index.setValueAt(bucket, 1, damaged.salvaged.source(index.valueAt(bucket, 1)));
    }
    return index;
  }

  #follow(segment: number, entries: Iterable<EntryRecord>): void {
    followSegment(this.#state, this, segment, entries);
  }

  /** Makes the state after all. What was found sound needs no second look at more than the entries' heads. */
  async #followAll(last: number): Promise<void> {
    for (const segment of this.#log.files.ascending()) {
      this.#context.signal.throwIfAborted();
      if (segment > last) break;
      const isDamaged = this.#damaged.has(segment);
      this.#follow(segment, isDamaged ? [] : this.#log.entries(segment, { headersOnly: true }));
      await breathe();
    }
  }

  #listLostObjects(committed: HashIndex): void {
    const { files } = this.#log;
    const missing = new Map<number, boolean>();
    for (let bucket = committed.nextBucket(-1); bucket >= 0; bucket = committed.nextBucket(bucket)) {
      const segment = committed.valueAt(bucket, 0);
      const offset = committed.valueAt(bucket, 1);
      const damaged = this.#damaged.get(segment);
      if (damaged?.salvaged.keeps(offset) === true) continue;
      if (damaged === undefined) {
        if (!missing.has(segment)) missing.set(segment, !files.exists(segment));
        // A sound segment may be another one than it was.
        if (missing.get(segment) !== true && this.#state.index.findKeyOf(committed, bucket) >= 0) continue;
      }
      this.#findings.reportLost(committed.keyAt(bucket), segment, offset);
    }
  }
}
