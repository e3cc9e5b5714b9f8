/**
 * Up to where the log was committed, where its last COMMITs may be damaged. What follows the last sound COMMIT is either
 * what an interrupted transaction left, which every writer removes; or a transaction whose COMMIT was damaged later,
 * which nobody may remove.
 *
 * See docs/decisions/check.md.
 */
import { COMMIT_ENTRY, SEGMENT_MAGIC } from '../../format/segment.ts';
import { IntegrityError } from '../../errors.ts';
import { isReadError } from '../../store/store.ts';
import { concatBytes } from '../../util/bytes.ts';
import type { SegmentLog } from '../segment-log.ts';
import type { TransactionFiles } from '../transaction-files.ts';

export interface LastTransaction {
  /** The segments up to this one belong to the repository. */
  readonly transactionId: number;
  /** Its COMMIT can't be found: there is other evidence that it was committed, or, without any COMMIT, none. */
  readonly isCommitDamaged: boolean;
  /** A transaction behind it whose segments are gone. */
  readonly lostTransactionId?: number;
}

const COMMIT_SEGMENT = concatBytes([SEGMENT_MAGIC, COMMIT_ENTRY]);

/** Undefined where there are no segments. */
export function findLastTransaction(log: SegmentLog, files: TransactionFiles): LastTransaction | undefined {
  const committed = lastSoundCommit(log);
  const rest = [...log.files.ascending((committed ?? -1) + 1)].filter((segment) => log.files.exists(segment));
  if (committed !== undefined && rest.length === 0)
    return { transactionId: committed, isCommitDamaged: false };
  const named = Math.max(-1, ...files.named().map(({ transactionId }) => transactionId));
  const complete = rest.findLast((segment) => wasCompleted(log, segment)) ?? -1;
  // The files of a transaction are written after its COMMIT. Without any of its segments they are a leftover.
  const claimed = Math.max(complete, rest.some((segment) => segment <= named) ? named : -1);
  const lost = named > Math.max(claimed, committed ?? -1) ? { lostTransactionId: named } : {};
  if (claimed >= 0) {
    const isCommitDamaged = claimed !== complete || !isTrue(() => log.endsWithCommit(claimed));
    return { transactionId: claimed, isCommitDamaged, ...lost };
  }
  if (committed !== undefined) return { transactionId: committed, isCommitDamaged: false, ...lost };
  const latest = rest.at(-1) ?? log.files.latest();
  return latest === undefined ? undefined : { transactionId: latest, isCommitDamaged: true, ...lost };
}

function lastSoundCommit(log: SegmentLog): number | undefined {
  for (const segment of log.files.descending()) if (isTrue(() => log.isCommitted(segment))) return segment;
  return undefined;
}

/**
 * Whether the segment was the last one of a transaction: it ends with a COMMIT, while other entries of it are damaged;
 * or it has the size of one that holds nothing else. A crash can leave zeros in place of the COMMIT or of its end: then
 * it never was.
 */
function wasCompleted(log: SegmentLog, segment: number): boolean {
  if (isTrue(() => log.isDamagedAndCommitted(segment))) return true;
  if (log.files.sizeBytes(segment) !== COMMIT_SEGMENT.length) return false;
  const file = log.files.store.openFile(log.files.path(segment));
  try {
    const content = new Uint8Array(COMMIT_SEGMENT.length);
    file.read(content, 0);
    const written = content.findIndex((byte, at) => byte !== COMMIT_SEGMENT[at]);
    return content.subarray(written).some((byte) => byte !== 0);
  } catch (error) {
    if (!isReadError(error)) throw error;
    return true;
  } finally {
    file.close();
  }
}

/** What can't be read, or read as a segment, is not so. */
function isTrue(test: () => boolean): boolean {
  try {
    return test();
  } catch (error) {
    if (error instanceof IntegrityError || isReadError(error)) return false;
    throw error;
  }
}
