/**
 * The check of a repository without its key: reads every segment, builds the index anew, and compares it with the one
 * on disk. What a repair would do comes out of the same pass, as a plan; a repair then carries it out.
 *
 * Source: Borg 1.4.5 repository.py, check.
 */
import { emptyHints } from '../../format/hints.ts';
import type { RepositoryConfig } from '../../format/repository-config.ts';
import { ENTRY_HEADER_SIZE_BYTES, TAG_COMMIT } from '../../format/segment.ts';
import type { Context } from '../../util/context.ts';
import { HashIndex } from '../../util/hash-index.ts';
import type { RepairStep, RepositoryCheckOptions, RepositoryCheckResult } from '../check-result.ts';
import type { CommittedState } from '../committed-state.ts';
import { quarantineFolder } from '../quarantine.ts';
import { followSegment } from '../replay.ts';
import type { RepositoryState, SegmentSizes } from '../replay.ts';
import type { SegmentEntry } from '../segment-entries.ts';
import type { SegmentLog } from '../segment-log.ts';
import type { TransactionFiles } from '../transaction-files.ts';
import { describeDifferences, haveSameEntries } from './compare-indexes.ts';
import { ChecksumCheck } from './checksum-check.ts';
import { Findings } from './findings.ts';
import { findLastTransaction } from './last-transaction.ts';
import type { LastTransaction } from './last-transaction.ts';
import { lastCheckedSegment, rememberLastChecked } from './partial-progress.ts';
import { RepairPlan } from './repair-plan.ts';
import { hasSpaceToKeep } from './repair-space.ts';
import type { DamagedSegment } from './repair-plan.ts';
import { IndexComparison } from './index-comparison.ts';
import type { ReadingBeside } from './reading-beside.ts';
import { SalvagedSegment } from './salvaged-segment.ts';
import type { EntryRecord } from './salvaged-segment.ts';
import { breathe, scanSegment } from './segment-scan.ts';
import { SegmentsAhead } from './segments-ahead.ts';
import { SoundSegments } from './sound-segments.ts';

export interface RepositoryCheckNeeds {
  readonly context: Context;
  readonly log: SegmentLog;
  readonly files: TransactionFiles;
  readonly config: RepositoryConfig;
  readonly appendOnly: boolean;
  /** False where no lock is held. */
  readonly mayWrite: boolean;
  /** The committed state, and whether reading it may write a rebuilt index. */
  readonly openState: (mayWrite: boolean) => CommittedState;
  /** Whoever wants to read objects meanwhile. */
  readonly reading?: ReadingBeside | undefined;
}

export interface CheckOutcome extends RepositoryCheckResult {
  /** After a dry run: the index that the repair would have made, with the places where the objects are now. */
  readonly planned?: HashIndex;
}

interface OpenedState {
  readonly last: LastTransaction | undefined;
  /** As it was found on disk. */
  readonly index: HashIndex | undefined;
  /** It is the one by which objects are read. */
  readonly isCommitted: boolean;
}

export async function checkRepository(
  needs: RepositoryCheckNeeds,
  options: RepositoryCheckOptions,
): Promise<CheckOutcome> {
  return new RepositoryCheck(needs, options).run();
}

class RepositoryCheck implements SegmentSizes {
  readonly #needs: RepositoryCheckNeeds;
  readonly #options: RepositoryCheckOptions;
  readonly #isRepair: boolean;
  readonly #isPartial: boolean;
  readonly #findings: Findings;
  readonly #damaged = new Map<number, DamagedSegment>();
  /** As the segments give it. */
  readonly #state: RepositoryState = { index: new HashIndex({ valueWords: 2 }), hints: emptyHints() };
  /** Without a repair, the state is only made where it is not that of the index. */
  #comparison: IndexComparison | undefined;
  #checksums: ChecksumCheck | undefined;
  #finished = true;
  /** The last segment ends with a COMMIT. */
  #endsWithCommit = false;

  constructor(needs: RepositoryCheckNeeds, options: RepositoryCheckOptions) {
    this.#needs = needs;
    this.#options = options;
    this.#findings = new Findings(needs.context.reporter);
    this.#isRepair = options.repair === true;
    this.#isPartial = (options.maxDurationSeconds ?? 0) > 0;
    if (!this.#isRepair) return;
    const { root } = needs.log.files.store;
    if (this.#isPartial) throw new Error('a partial check repairs nothing');
    if (options.checksums === true) throw new Error('checksums say what has changed, and mend nothing');
    if (needs.appendOnly) throw new Error(`${root} is in append-only mode`);
    if (!needs.mayWrite) throw new Error('a repository that was opened without a lock can only be read');
  }

  async run(): Promise<CheckOutcome> {
    this.#findings.say('info', 'Starting repository check');
    const { files } = this.#needs.log;
    files.assertPlaced();
    const reading = this.#isPlain ? this.#needs.reading : undefined;
    reading?.prepare(files);
    const { last, index, isCommitted } = await this.#open();
    if (last === undefined) {
      this.#findings.report({ kind: 'empty', text: 'This repository contains no valid data.' });
      return this.#result(false, []);
    }
    this.#reportCommits(last);
    if (this.#options.checksums === true) {
      this.#checksums = new ChecksumCheck(files, this.#findings, index);
    }
    // Salvage goes by the index only where a checksum says that it is right.
    const isVerified = this.#needs.files.isVerified(last.transactionId);
    const isSoundSoFar = isCommitted && this.#findings.damage.length === 0;
    const reader = (isSoundSoFar ? reading?.begin(index!) : undefined) ?? new SoundSegments();
    if (!this.#isRepair && !this.#isPartial && index !== undefined) {
      this.#comparison = new IndexComparison(index);
    }
    await using sound = new SegmentsAhead(files, reader, last.transactionId, this.#comparison);
    await this.#checkSegments(last.transactionId, isVerified ? index : undefined, sound);
    let steps: readonly RepairStep[] = [];
    if (this.#isRepair && !this.#endsWithCommit) {
      this.#findings.report({ kind: 'commit', text: `Adding commit tag to segment ${last.transactionId}` });
    }
    if (!this.#isPartial) {
      this.#findings.say('info', 'Starting repository index check');
      if (index !== undefined) await this.#compare(last, index);
      if (this.#isRepair) steps = this.#repair(last, index);
    }
    this.#sayResult();
    const { damage, isDamaged } = this.#findings;
    const isSound = !isDamaged && damage.length === 0;
    if (!this.#isRepair || !this.#isDryRun) return this.#result(isSound || this.#isRepair, steps);
    return { ...this.#result(isSound, steps), planned: this.#plannedIndex() };
  }

  /** Everything is read, and nothing else than whether all of it is sound is to be found out. */
  get #isPlain(): boolean {
    const { badRanges, checksums = false } = this.#options;
    return !this.#isRepair && !this.#isPartial && !checksums && (badRanges?.size ?? 0) === 0;
  }

  get #isDryRun(): boolean {
    return this.#options.dryRun === true;
  }

  get #writes(): boolean {
    return this.#needs.mayWrite && !this.#isDryRun;
  }

  segmentSizeBytes(segment: number): number | undefined {
    return this.#damaged.get(segment)?.salvaged.sizeBytes ?? this.#needs.log.segmentSizeBytes(segment);
  }

  readPutSize(segment: number, offset: number, key: Uint8Array): number {
    const source = this.#damaged.get(segment)?.salvaged.source(offset) ?? offset;
    return this.#needs.log.readPutSize(segment, source, key);
  }

  /** The last transaction, and its index as it was found on disk. */
  async #open(): Promise<OpenedState> {
    const { files, log, openState } = this.#needs;
    const state = openState(this.#writes && !this.#isRepair);
    let loaded: HashIndex | undefined;
    try {
      loaded = await state.index();
      this.#findings.say('debug', `Read committed index of transaction ${state.transactionId ?? 'None'}`);
    } catch (error) {
      this.#findings.say('debug', `Failed to read committed index (${messageOf(error)})`);
    }
    const last = findLastTransaction(log, files);
    if (last === undefined) return { last, index: undefined, isCommitted: false };
    this.#findings.say('debug', `Determined transaction is ${last.transactionId}`);
    if (loaded !== undefined && state.transactionId === last.transactionId) {
      return { last, index: loaded, isCommitted: true };
    }
    try {
      return { last, index: files.readIndex(last.transactionId), isCommitted: false };
    } catch (error) {
      this.#findings.say('debug', `Failed to read index.${last.transactionId} (${messageOf(error)})`);
      return { last, index: undefined, isCommitted: false };
    }
  }

  #reportCommits({ transactionId, isCommitDamaged, lostTransactionId }: LastTransaction): void {
    if (isCommitDamaged) {
      const text = `The COMMIT of the last transaction is damaged or missing [segment ${transactionId}]`;
      this.#findings.report({ kind: 'commit', segment: transactionId, text });
    }
    if (lostTransactionId !== undefined) {
      const text = `The segments of the last transaction are missing [segment ${lostTransactionId}]`;
      this.#findings.report({ kind: 'commit', segment: lostTransactionId, text });
    }
  }

  async #checkSegments(
    transactionId: number,
    index: HashIndex | undefined,
    sound: SegmentsAhead,
  ): Promise<void> {
    const { context, log } = this.#needs;
    const lastChecked = this.#startAfter();
    const startMs = performance.now();
    const total = log.files.count();
    this.#findings.say('debug', `Found ${total} segments`);
    const progress = context.reporter.percent('repository.check', 'Checking segments %3.1f%%', total);
    let last = -1;
    let current = 0;
    for (const segment of log.files.ascending()) {
      context.signal.throwIfAborted();
      progress.advance({ current: current++ });
      // A repair takes away what follows.
      if (!this.#isRepair || segment <= transactionId) last = segment;
      if (segment <= lastChecked || segment > transactionId) continue;
      await this.#checkSegment(segment, index, sound);
      const spentSeconds = (performance.now() - startMs) / 1000;
      if (!this.#isPartial || spentSeconds <= this.#options.maxDurationSeconds!) continue;
      this.#findings.say('info', `finished partial segment check, last segment checked is ${segment}`);
      this.#rememberLastChecked(segment);
      this.#finished = false;
      break;
    }
    if (this.#finished) {
      this.#findings.say('info', `finished segment check at segment ${last}`);
      this.#rememberLastChecked(undefined);
    }
    this.#checksums?.finish();
    progress.finish();
  }

  async #checkSegment(segment: number, index: HashIndex | undefined, sound: SegmentsAhead): Promise<void> {
    const { log } = this.#needs;
    const path = `${log.files.store.root}/${log.files.path(segment)}`;
    this.#findings.say('debug', `checking segment file ${path}...`);
    const checksums = this.#checksums;
    checksums?.begin(segment);
    const look = checksums === undefined ? undefined : (entry: SegmentEntry) => checksums.look(entry);
    const scanned = await scanSegment(log, segment, {
      badRanges: this.#options.badRanges,
      index,
      sound,
      look,
    });
    await breathe();
    let entries: Iterable<EntryRecord>;
    if (scanned.problem === undefined) {
      entries = scanned.entries;
      this.#comparison?.follow(segment, scanned.entries);
      this.#endsWithCommit = scanned.entries.lastTag === TAG_COMMIT;
    } else {
      const { bad, lost, sizeBytes } = scanned;
      const salvaged = new SalvagedSegment(scanned.entries);
      this.#findings.reportSegment(segment, scanned);
      this.#damaged.set(segment, { segment, sizeBytes, bad, lostBytes: lost.sizeBytes, salvaged });
      // Without a repair, nobody can read a damaged segment: Borg counts it as lost.
      if (this.#isRepair) this.#findings.say('info', `attempting to recover ${path}`);
      entries = this.#isRepair ? salvaged.moved(scanned.entries) : [];
      this.#endsWithCommit = scanned.entries.at(-1)?.tag === TAG_COMMIT;
    }
    checksums?.end(scanned.problem === undefined, this.#endsWithCommit);
    if (!this.#isPartial && this.#comparison === undefined) {
      followSegment(this.#state, this, segment, entries);
    }
  }

  /** The differences of the index on disk and the one that the segments give. */
  async #compare({ transactionId }: LastTransaction, committed: HashIndex): Promise<void> {
    const { index } = this.#state;
    const isSame = this.#damaged.size === 0 && this.#comparison?.isSame === true;
    if (!isSame) {
      if (this.#comparison !== undefined) await this.#followSegments(transactionId);
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

  /** Makes the state of segments that were read before: those that were sound then count, by their entries' heads. */
  async #followSegments(upTo: number): Promise<void> {
    const { context, log } = this.#needs;
    for (const segment of log.files.ascending()) {
      context.signal.throwIfAborted();
      if (segment > upTo) break;
      const entries = this.#damaged.has(segment) ? [] : log.entries(segment, { headersOnly: true });
      followSegment(this.#state, this, segment, entries);
      await breathe();
    }
  }

  #listLostObjects(committed: HashIndex): void {
    const { log } = this.#needs;
    const missing = new Map<number, boolean>();
    for (let bucket = committed.nextBucket(-1); bucket >= 0; bucket = committed.nextBucket(bucket)) {
      const segment = committed.valueAt(bucket, 0);
      const offset = committed.valueAt(bucket, 1);
      const damaged = this.#damaged.get(segment);
      if (damaged?.salvaged.keeps(offset) === true) continue;
      if (damaged === undefined) {
        if (!missing.has(segment)) missing.set(segment, !log.files.exists(segment));
        // A sound segment may be another one than it was.
        if (missing.get(segment) !== true && this.#state.index.findKeyOf(committed, bucket) >= 0) continue;
      }
      this.#findings.reportLost(committed.keyAt(bucket), segment, offset);
    }
  }

  #repair(last: LastTransaction, index: HashIndex | undefined): RepairStep[] {
    const { context, log } = this.#needs;
    const { store } = log.files;
    const plan = this.#plan(last, index, quarantineFolder(store, context.nowNs()));
    if (!this.#isDryRun) for (const { run } of plan.steps) run();
    return plan.steps.map(({ step }) => step);
  }

  #plan({ transactionId }: LastTransaction, index: HashIndex | undefined, folder: string): RepairPlan {
    const { files, log } = this.#needs;
    const { hints } = this.#state;
    const plan = new RepairPlan(log, files, folder);
    plan.removeUncommitted(transactionId);
    let committed = transactionId;
    if (!this.#endsWithCommit) {
      committed = transactionId + 1;
      plan.addCommit(committed);
      hints.segments.set(committed, 0);
      hints.compact.set(committed, ENTRY_HEADER_SIZE_BYTES);
    }
    if (this.#findings.isDamaged || index === undefined || !haveSameEntries(this.#state.index, index)) {
      plan.moveTransactionFiles();
    }
    const space = {
      freeBytes: log.files.store.freeSpaceBytes(),
      replacementSizesBytes: [...this.#damaged.values()].map(({ salvaged }) => salvaged.sizeBytes),
      indexSizeBytes: this.#state.index.buckets.length,
      saveSpace: this.#options.saveSpace === true,
    };
    const keeps = hasSpaceToKeep(space, this.#findings);
    for (const damaged of this.#damaged.values()) plan.replaceSegment(damaged, keeps);
    plan.writeTransactionFiles(committed, this.#state);
    plan.explain(this.#findings.damage.map(({ text }) => text));
    return plan;
  }

  #plannedIndex(): HashIndex {
    const { index } = this.#state;
    for (const bucket of index.usedBuckets()) {
      const damaged = this.#damaged.get(index.valueAt(bucket, 0));
      if (damaged === undefined) continue;
      index.setValueAt(bucket, 1, damaged.salvaged.source(index.valueAt(bucket, 1)));
    }
    return index;
  }

  /** The segment up to which an earlier check has come, where this one goes on from there. */
  #startAfter(): number {
    if (!this.#isPartial) {
      this.#rememberLastChecked(undefined);
      return -1;
    }
    const lastChecked = lastCheckedSegment(this.#needs.config);
    this.#findings.say('info', `skipping to segments >= ${lastChecked + 1}`);
    return lastChecked;
  }

  #rememberLastChecked(segment: number | undefined): void {
    const { config, context, log } = this.#needs;
    if (this.#writes) rememberLastChecked(log.files.store, config, context.reporter, segment);
  }

  #sayResult(): void {
    if (this.#checksums !== undefined) {
      const { objects, uncovered } = this.#checksums.counts;
      const text = `compared ${objects - uncovered} of ${objects} objects with checksums, there are none of the others`;
      this.#findings.say('info', text);
    }
    const mode = this.#isPartial ? 'partial' : 'full';
    if (!this.#findings.isDamaged)
      this.#findings.say('info', `Finished ${mode} repository check, no problems found.`);
    else if (this.#isRepair && !this.#isDryRun) {
      this.#findings.say('info', `Finished ${mode} repository check, errors found and repaired.`);
    } else this.#findings.say('error', `Finished ${mode} repository check, errors found.`);
  }

  #result(ok: boolean, plan: readonly RepairStep[]): RepositoryCheckResult {
    const { badRanges, damage, lostIds } = this.#findings;
    const checksums = this.#checksums?.counts;
    return { ok, finished: this.#finished, damage, lostIds, plan, badRanges, checksums };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
