/**
 * Deletes the archives that a retention policy does not keep.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver.do_prune.
 */
import { CommandError } from '../errors.ts';
import { type ArchiveSelection, type SelectedArchive, selectArchives } from './archive-selection.ts';
import type { ChunksCache } from './cache/chunks-cache.ts';
import { DeletionRun, type DeletionRunOptions } from './deletion-run.ts';
import { archivesToKeep, hasRule, type KeepReason, type RetentionPolicy } from './prune-rules.ts';
import type { Session } from './session.ts';
import type { Statistics } from './statistics.ts';

export interface PruneOptions extends DeletionRunOptions {
  /** Which archives are looked at; all others stay, and count for nothing. */
  readonly selection?: Pick<ArchiveSelection, 'glob' | 'prefix'>;
  readonly dryRun?: boolean;
  /** Runs for each archive, newest first; for one that goes, when it is gone. */
  readonly onArchive?: (archive: PrunedArchive) => void;
  /** Runs when all is done and the cache still open, for statistics. */
  readonly onPruned?: (statistics: Statistics, cache: ChunksCache) => Promise<void>;
}

export interface PrunedArchive {
  readonly archive: SelectedArchive;
  readonly fate: Fate;
}

/** What becomes of an archive. */
export type Fate =
  | { readonly kind: 'keep'; readonly reason: KeepReason }
  /** The newest archive of all is a checkpoint: a backup may go on from it. */
  | { readonly kind: 'keep-checkpoint' }
  /** One of `total` that go. */
  | { readonly kind: 'prune'; readonly number: number; readonly total: number };

const CHECKPOINT = String.raw`\.checkpoint(?:\.\d+)?`;
const CHECKPOINT_NAME = /\.checkpoint(?:\.\p{Nd}+)?$/u;
const LOGGER = { logger: 'borg.archiver' };

/** @throws CommandError where the policy has no rule; GeneralError after an interruption; what damage throws */
export async function pruneArchives(
  session: Session,
  policy: RetentionPolicy,
  options: PruneOptions = {},
): Promise<void> {
  assertHasRule(policy);
  const { ctx } = session;
  const plan = planPruning(session, policy, options.selection ?? {});
  await using cache = await session.openCache();
  const progress = ctx.reporter.percent('prune', 'Pruning archives %3.0f%%', plan.total);
  const pruned = plan.archives.filter(({ fate }) => fate.kind === 'prune').map(({ archive }) => archive.name);
  await using run = new DeletionRun(session, cache, pruned, { ...options, showProgress: false });
  for (const planned of plan.archives) {
    if (ctx.signal.aborted) break;
    if (planned.fate.kind === 'prune') {
      progress.advance();
      if (options.dryRun !== true) await run.deleteNext();
    }
    options.onArchive?.(planned);
  }
  progress.finish();
  run.throwIfInterrupted();
  await run.commit();
  await options.onPruned?.(run.statistics, cache);
}

/** Throws a CommandError where the policy would delete everything. */
export function assertHasRule(policy: RetentionPolicy): void {
  if (hasRule(policy)) return;
  throw new CommandError([
    'At least one of the "keep-within", "keep-last", "keep-secondly", "keep-minutely", "keep-hourly", "keep-daily", ' +
      '"keep-weekly", "keep-monthly", "keep-13weekly", "keep-3monthly", or "keep-yearly" settings must be specified.',
  ]);
}

function planPruning(
  { ctx, manifest }: Session,
  policy: RetentionPolicy,
  selection: Pick<ArchiveSelection, 'glob' | 'prefix'>,
): { archives: PrunedArchive[]; total: number } {
  const matching = selectArchives(manifest.archives, {
    ...selection,
    matchEnd: String.raw`(?:${CHECKPOINT})?\Z`,
    sortBy: ['ts'],
    reverse: true,
  });
  // A checkpoint is an incomplete backup: it must not take the place of a complete one.
  const whole = matching.filter(({ name }) => !isCheckpoint(name));
  const checkpoints = matching.length - whole.length;
  const kept = archivesToKeep(whole, policy, ctx.nowNs());
  const newest = matching[0];
  const keptCheckpoint = newest !== undefined && isCheckpoint(newest.name) ? newest.name : undefined;
  const keptCheckpoints = keptCheckpoint === undefined ? 0 : 1;
  const total = matching.length - kept.size - keptCheckpoints;

  const names = [...manifest.archives.keys()];
  const allCheckpoints = names.filter(isCheckpoint).length;
  const say = (text: string): void => ctx.reporter.log('info', text, LOGGER);
  say(
    `Repository contains ${names.length - allCheckpoints} normal archives and ${allCheckpoints} checkpoint archives.`,
  );
  say(`Applying rules to the matching ${whole.length} archives and ${checkpoints} checkpoints...`);
  say(
    `Keeping ${kept.size} archives and ${keptCheckpoints} checkpoints, ` +
      `pruning ${whole.length - kept.size} archives and ${checkpoints - keptCheckpoints} checkpoints.`,
  );
  let number = 0;
  const archives = matching.map((archive): PrunedArchive => {
    const reason = kept.get(archive.name);
    if (reason !== undefined) return { archive, fate: { kind: 'keep', reason } };
    if (archive.name === keptCheckpoint) return { archive, fate: { kind: 'keep-checkpoint' } };
    return { archive, fate: { kind: 'prune', number: ++number, total } };
  });
  return { archives, total };
}

function isCheckpoint(name: string): boolean {
  return CHECKPOINT_NAME.test(name);
}
