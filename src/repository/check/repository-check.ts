/**
 * The check of a repository without its key: reads every segment, builds the index anew, and compares it with the one
 * on disk. What a repair would do comes out of the same pass, as a plan; a repair then carries it out.
 *
 * Source: Borg 1.4.5 repository.py, check.
 */
import type { RepositoryConfig } from '../../format/repository-config.ts';
import { ENTRY_HEADER_SIZE_BYTES, TAG_COMMIT } from '../../format/segment.ts';
import type { Context } from '../../util/context.ts';
import type { HashIndex } from '../../util/hash-index.ts';
import type { RepairStep, RepositoryCheckOptions, RepositoryCheckResult } from '../check-result.ts';
import { quarantineFolder } from '../quarantine.ts';
import type { SegmentEntry } from '../segment-entries.ts';
import { haveSameEntries } from './compare-indexes.ts';
import { CheckedSegments } from './checked-segments.ts';
import { type CheckedStateNeeds, openCheckedState, reportCommits } from './checked-state.ts';
import { ChecksumCheck } from './checksum-check.ts';
import { Findings } from './findings.ts';
import type { LastTransaction } from './last-transaction.ts';
import { lastCheckedSegment, rememberLastChecked } from './partial-progress.ts';
import { RepairPlan } from './repair-plan.ts';
import { hasSpaceToKeep } from './repair-space.ts';
import type { ReadingBeside } from './reading-beside.ts';
import { breathe, scanSegment } from './segment-scan.ts';
import { SegmentsAhead } from './segments-ahead.ts';
import { SoundSegments } from './sound-segments.ts';

export interface RepositoryCheckNeeds extends CheckedStateNeeds {
  readonly context: Context;
  readonly config: RepositoryConfig;
  readonly appendOnly: boolean;
  /** False where no lock is held. */
  readonly mayWrite: boolean;
  /** Whoever wants to read objects meanwhile. */
  readonly reading?: ReadingBeside | undefined;
}

export interface CheckOutcome extends RepositoryCheckResult {
  /** After a dry run: the index that the repair would have made, with the places where the objects are now. */
  readonly planned?: HashIndex;
}

export async function checkRepository(
  needs: RepositoryCheckNeeds,
  options: RepositoryCheckOptions,
): Promise<CheckOutcome> {
  return new RepositoryCheck(needs, options).run();
}

class RepositoryCheck {
  readonly #needs: RepositoryCheckNeeds;
  readonly #options: RepositoryCheckOptions;
  readonly #isRepair: boolean;
  readonly #isPartial: boolean;
  readonly #findings: Findings;
  readonly #segments: CheckedSegments;
  #checksums: ChecksumCheck | undefined;
  #finished = true;
  /** The last segment ends with a COMMIT. */
  #endsWithCommit = false;

  constructor(needs: RepositoryCheckNeeds, options: RepositoryCheckOptions) {
    this.#needs = needs;
    this.#options = options;
    this.#findings = new Findings(needs.context.reporter);
    this.#isRepair = options.repair === true;
    this.#segments = new CheckedSegments(needs, this.#findings, this.#isRepair);
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
    const { last, index, isCommitted } = await openCheckedState(
      this.#needs,
      this.#writes && !this.#isRepair,
      this.#findings,
    );
    if (last === undefined) {
      this.#findings.report({ kind: 'empty', text: 'This repository contains no valid data.' });
      return this.#result(false, []);
    }
    reportCommits(this.#findings, last);
    if (this.#options.checksums === true) {
      this.#checksums = new ChecksumCheck(files, this.#findings, index);
    }
    // Salvage goes by the index only where a checksum says that it is right.
    const isVerified = this.#needs.files.isVerified(last.transactionId);
    const isSoundSoFar = isCommitted && this.#findings.damage.length === 0;
    const reader = (isSoundSoFar ? reading?.begin(index!) : undefined) ?? new SoundSegments();
    // A repair needs the state itself.
    if (!this.#isRepair && !this.#isPartial && index !== undefined) this.#segments.compareWith(index);
    await using sound = new SegmentsAhead(files, reader, last.transactionId, this.#segments.comparison);
    await this.#checkSegments(last.transactionId, isVerified ? index : undefined, sound);
    let steps: readonly RepairStep[] = [];
    if (this.#isRepair && !this.#endsWithCommit) {
      this.#findings.report({ kind: 'commit', text: `Adding commit tag to segment ${last.transactionId}` });
    }
    if (!this.#isPartial) {
      this.#findings.say('info', 'Starting repository index check');
      if (index !== undefined) await this.#segments.tellDifferences(index, last.transactionId);
      if (this.#isRepair) steps = this.#repair(last, index);
    }
    this.#sayResult();
    const { damage, isDamaged } = this.#findings;
    const isSound = !isDamaged && damage.length === 0;
    if (!this.#isRepair || !this.#isDryRun) return this.#result(isSound || this.#isRepair, steps);
    return { ...this.#result(isSound, steps), planned: this.#segments.indexBeforeRepair() };
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
    if (scanned.problem === undefined) {
      this.#endsWithCommit = scanned.entries.lastTag === TAG_COMMIT;
      checksums?.end(true, this.#endsWithCommit);
      if (!this.#isPartial) this.#segments.addSound(segment, scanned.entries);
    } else {
      this.#findings.reportSegment(segment, scanned);
      if (this.#isRepair) this.#findings.say('info', `attempting to recover ${path}`);
      this.#endsWithCommit = scanned.entries.at(-1)?.tag === TAG_COMMIT;
      checksums?.end(false, this.#endsWithCommit);
      if (!this.#isPartial) this.#segments.addDamaged(segment, scanned);
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
    const { state, damaged } = this.#segments;
    const { hints, index: rebuilt } = state;
    const plan = new RepairPlan(log, files, folder);
    plan.removeUncommitted(transactionId);
    let committed = transactionId;
    if (!this.#endsWithCommit) {
      committed = transactionId + 1;
      plan.addCommit(committed);
      hints.segments.set(committed, 0);
      hints.compact.set(committed, ENTRY_HEADER_SIZE_BYTES);
    }
    if (this.#findings.isDamaged || index === undefined || !haveSameEntries(rebuilt, index)) {
      plan.moveTransactionFiles();
    }
    const space = {
      freeBytes: log.files.store.freeSpaceBytes(),
      replacementSizesBytes: damaged.map(({ salvaged }) => salvaged.sizeBytes),
      indexSizeBytes: rebuilt.buckets.length,
      saveSpace: this.#options.saveSpace === true,
    };
    const keeps = hasSpaceToKeep(space, this.#findings);
    for (const segment of damaged) plan.replaceSegment(segment, keeps);
    plan.writeTransactionFiles(committed, state);
    plan.explain(this.#findings.damage.map(({ text }) => text));
    return plan;
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
