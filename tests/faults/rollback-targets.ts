/** What a repository can go back to, by its history, and which archives it has then. */
import type { Program } from '../workspace.ts';

export interface RollbackTarget {
  readonly transaction: number;
  /** In the order in which the campaign made them. */
  readonly archives: readonly string[];
}

interface Transaction {
  readonly transaction: number;
  readonly complete: boolean;
  readonly wrote_manifest: boolean;
  readonly archives: number | null;
  readonly changes: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
  } | null;
}

/** Reckons back from the list of today. Without the last transaction, and those that leave half of a "recreate". */
export function rollbackTargets(
  program: Program,
  repository: string,
  archives: readonly string[],
): RollbackTarget[] {
  const transactions = historyOf(program, repository);
  const targets: RollbackTarget[] = [];
  let names = new Set(archives);
  for (const {
    transaction,
    complete,
    wrote_manifest,
    changes,
    archives: count,
  } of transactions.toReversed()) {
    // A compaction.
    if (!wrote_manifest) continue;
    const isWhole = count === names.size && ![...names].some((name) => name.endsWith('.recreate'));
    if (complete && isWhole) targets.push({ transaction, archives: [...names].toSorted(byAge) });
    if (changes === null) break;
    names = new Set([...names].filter((name) => !changes.added.includes(name)));
    for (const name of changes.removed) names.add(name);
  }
  return targets.filter(({ transaction }) => transaction !== transactions.at(-1)?.transaction);
}

function historyOf(program: Program, repository: string): Transaction[] {
  const { stdout } = program(['history', '--json', repository]);
  return (JSON.parse(stdout) as { transactions: Transaction[] }).transactions;
}

/** The first two are made before all others, which have numbers. */
function byAge(one: string, other: string): number {
  return ageOf(one) - ageOf(other);
}

function ageOf(name: string): number {
  return name === 'first' ? -2 : name === 'second' ? -1 : Number(name.replace('archive-', ''));
}
