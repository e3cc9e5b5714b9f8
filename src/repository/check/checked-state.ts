/** What a check begins with: the last transaction, and its index as it was found on disk. */
import type { HashIndex } from '../../util/hash-index.ts';
import type { CommittedState } from '../committed-state.ts';
import type { SegmentLog } from '../segment-log.ts';
import type { TransactionFiles } from '../transaction-files.ts';
import type { Findings } from './findings.ts';
import { findLastTransaction } from './last-transaction.ts';
import type { LastTransaction } from './last-transaction.ts';

export interface CheckedStateNeeds {
  readonly log: SegmentLog;
  readonly files: TransactionFiles;
  /** The committed state, and whether reading it may write a rebuilt index. */
  readonly openState: (mayWrite: boolean) => CommittedState;
}

export interface CheckedState {
  /** Undefined where there are no segments. */
  readonly last: LastTransaction | undefined;
  /** Undefined where it can't be used. */
  readonly index: HashIndex | undefined;
  /** The index is the one by which objects are read. */
  readonly isCommitted: boolean;
}

export async function openCheckedState(
  { files, log, openState }: CheckedStateNeeds,
  mayWrite: boolean,
  findings: Findings,
): Promise<CheckedState> {
  const state = openState(mayWrite);
  let loaded: HashIndex | undefined;
  try {
    loaded = await state.index();
    findings.say('debug', `Read committed index of transaction ${state.transactionId ?? 'None'}`);
  } catch (error) {
    findings.say('debug', `Failed to read committed index (${messageOf(error)})`);
  }
  const last = findLastTransaction(log, files);
  if (last === undefined) return { last, index: undefined, isCommitted: false };
  findings.say('debug', `Determined transaction is ${last.transactionId}`);
  if (loaded !== undefined && state.transactionId === last.transactionId) {
    return { last, index: loaded, isCommitted: true };
  }
  try {
    return { last, index: files.readIndex(last.transactionId), isCommitted: false };
  } catch (error) {
    findings.say('debug', `Failed to read index.${last.transactionId} (${messageOf(error)})`);
    return { last, index: undefined, isCommitted: false };
  }
}

/** Says what of the last transactions is damaged or gone. */
export function reportCommits(
  findings: Findings,
  { transactionId, isCommitDamaged, lostTransactionId }: LastTransaction,
): void {
  if (isCommitDamaged) {
    const text = `The COMMIT of the last transaction is damaged or missing [segment ${transactionId}]`;
    findings.report({ kind: 'commit', segment: transactionId, text });
  }
  if (lostTransactionId !== undefined) {
    const text = `The segments of the last transaction are missing [segment ${lostTransactionId}]`;
    findings.report({ kind: 'commit', segment: lostTransactionId, text });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
