/** What happened to a repository, as far as its log still tells: its transactions, and what each did to the archives. */
import { initCrypto } from '../../crypto/init-crypto.ts';
import { decodeTimestamp } from '../../format/timestamp.ts';
import type { Key } from '../../keys/key.ts';
import { readHistory, type LoggedTransaction } from '../../repository/history.ts';
import type { SegmentRepository } from '../../repository/segment-repository.ts';
import type { Context } from '../../util/context.ts';
import { compareArchiveLists, type ArchiveChanges, type ArchiveList } from './archive-changes.ts';
import { loadKeyOfHistory, openLoggedManifest } from './logged-manifests.ts';

/**
 * - `log`: the file `transactions`, written where the repository is
 * - `manifest`: what the client wrote into the manifest
 * - `file`: when the file with the COMMIT was written, which copying a repository may change
 */
export type TimeSource = 'log' | 'manifest' | 'file';

export interface HistoryEntry extends LoggedTransaction {
  readonly timeNs: bigint | undefined;
  readonly timeSource: TimeSource | undefined;
  /** Number of archives after it; undefined without the key, and where it wrote no manifest that can be read. */
  readonly archiveCount: number | undefined;
  /** Undefined also where the list of archives before it is not known. */
  readonly changes: ArchiveChanges | undefined;
  /** Why its manifest can't be taken for genuine. */
  readonly problem: string | undefined;
}

export interface HistoryOptions {
  /** Do without the key: nothing is known of archives. */
  readonly withoutKey?: boolean;
  /** Only so many, the newest. */
  readonly last?: number | undefined;
}

/**
 * The oldest first.
 *
 * @throws NoManifestError; what loading the key throws
 */
export async function repositoryHistory(
  ctx: Context,
  repository: SegmentRepository,
  options: HistoryOptions = {},
): Promise<HistoryEntry[]> {
  await initCrypto();
  const transactions = readHistory(repository.log, ctx.reporter);
  const key =
    options.withoutKey === true || transactions.length === 0
      ? undefined
      : await loadKeyOfHistory(ctx, repository, transactions);
  const first = Math.max(0, transactions.length - (options.last ?? Infinity));
  return describeTransactions(repository, transactions, { key, first });
}

/** Those from `first` on, of all transactions that there are. */
export function describeTransactions(
  repository: SegmentRepository,
  transactions: readonly LoggedTransaction[],
  { key, first }: { readonly key: Key | undefined; readonly first: number },
): HistoryEntry[] {
  const lists = new ArchiveLists(repository, key);
  const oldest = transactions[0];
  // Where compaction has removed the first ones, nothing is known of what came before.
  if (oldest !== undefined && oldest.segmentCount === oldest.transactionId + 1) lists.startEmpty();
  for (let at = first - 1; at >= 0; at--) if (lists.learn(transactions[at]!)) break;
  return transactions.slice(first).map((transaction) => lists.entry(transaction));
}

class ArchiveLists {
  readonly #repository: SegmentRepository;
  readonly #key: Key | undefined;
  /** As of the transaction before; undefined where nobody knows. */
  #archives: ArchiveList | undefined;

  constructor(repository: SegmentRepository, key: Key | undefined) {
    this.#repository = repository;
    this.#key = key;
  }

  startEmpty(): void {
    this.#archives = new Map();
  }

  /** Goes on from the manifest of the transaction, if it has one. */
  learn(transaction: LoggedTransaction): boolean {
    const data = this.#key && openLoggedManifest(this.#repository, this.#key, transaction);
    if (data === undefined || 'problem' in data) return false;
    this.#archives = data.archives;
    return true;
  }

  entry(transaction: LoggedTransaction): HistoryEntry {
    const data = this.#key && openLoggedManifest(this.#repository, this.#key, transaction);
    const found = data === undefined || 'problem' in data ? undefined : data;
    const before = this.#archives;
    if (found !== undefined) this.#archives = found.archives;
    return {
      ...transaction,
      ...timeOf(transaction, found?.timestamp),
      archiveCount: found?.archives.size,
      changes:
        found === undefined || before === undefined ? undefined : compareArchiveLists(before, found.archives),
      problem: data !== undefined && 'problem' in data ? data.problem : undefined,
    };
  }
}

function timeOf(
  { loggedNs, modifiedNs }: LoggedTransaction,
  timestamp: string | undefined,
): Pick<HistoryEntry, 'timeNs' | 'timeSource'> {
  if (loggedNs !== undefined) return { timeNs: loggedNs, timeSource: 'log' };
  if (timestamp !== undefined && timestamp !== '') {
    return { timeNs: decodeTimestamp(timestamp), timeSource: 'manifest' };
  }
  return { timeNs: modifiedNs, timeSource: modifiedNs === undefined ? undefined : 'file' };
}
