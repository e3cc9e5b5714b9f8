/** Whether and how a repository can go back to where an earlier transaction left it. */
import { GeneralError } from '../errors.ts';
import type { Context } from '../util/context.ts';
import { readHistory } from './history.ts';
import { quarantineFolder } from './quarantine.ts';
import { emptyState, followLog } from './replay.ts';
import type { SegmentRepository } from './segment-repository.ts';
import { TransactionFiles } from './transaction-files.ts';
import { planSteps, undo } from './undo.ts';
import type { UndoPlan } from './undo.ts';

/** A rollback that `run` carries out. */
export interface PlannedUndo extends UndoPlan {
  /** Needs the exclusive lock; refuses where something was written since it was planned. */
  run(): Promise<void>;
}

/**
 * Changes nothing. Reads all of the log up to the transaction.
 *
 * @throws GeneralError where it can't go back to it; IntegrityError where the log is damaged
 */
export async function planUndo(
  context: Context,
  repository: SegmentRepository,
  transactionId: number,
): Promise<PlannedUndo> {
  const { reporter } = context;
  const { config, location, log, store } = repository;
  const problem = findProblem(context, repository, transactionId);
  if (problem !== undefined) {
    throw new GeneralError([`transaction ${transactionId} of ${location} ${problem}`]);
  }
  const state = emptyState();
  await followLog(state, log, { upTo: transactionId }, reporter);
  const folder = quarantineFolder(store, context.nowNs());
  const needs = { config, log, files: new TransactionFiles(store, reporter), reporter };
  const plan = planSteps(needs, { transactionId, folder }, state);
  const latest = log.files.latest();
  return {
    ...plan,
    run: () =>
      repository.changeLog(() => {
        if (log.files.latest() !== latest) {
          throw new GeneralError([`${location} was written to since the rollback was planned`]);
        }
        undo(needs, plan, state);
      }),
  };
}

function findProblem(
  { reporter }: Context,
  { log }: SegmentRepository,
  transactionId: number,
): string | undefined {
  const found = readHistory(log, reporter).find((each) => each.transactionId === transactionId);
  if (found === undefined) return 'is not in the log';
  if (!found.isComplete) return 'can not be gone back to: compaction may have removed what belongs to it';
  return log.isCommitted(transactionId) ? undefined : 'is damaged';
}
