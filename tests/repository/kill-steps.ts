/** Transactions that a killed process and the one that checks on it derive from the same seed. */
import type { Random } from '../random.ts';

/** Version of each object, by its number: its data is `dataOf("<number> <version>", size)`. */
export type Versions = ReadonlyMap<number, number>;

export interface PlannedTransaction {
  readonly puts: ReadonlyMap<number, number>;
  readonly deletes: readonly number[];
  readonly compact: boolean;
  readonly threshold: number;
}

const OBJECTS = 60;

/** The next transaction on a repository that holds `versions`. */
export function planTransaction(random: Random, versions: Versions): PlannedTransaction {
  const puts = new Map<number, number>();
  for (let i = random.integer(12); i >= 0; i--) puts.set(random.integer(OBJECTS), random.integer(1e6));
  const deletes = [...versions.keys()].filter((number) => !puts.has(number) && random.next() < 0.1);
  return { puts, deletes, compact: random.next() < 0.5, threshold: random.integer(3) / 10 };
}

export function applyTransaction(
  versions: Versions,
  { puts, deletes }: PlannedTransaction,
): Map<number, number> {
  const next = new Map([...versions, ...puts]);
  for (const number of deletes) next.delete(number);
  return next;
}

export function sizeOf(number: number, version: number): number {
  return (number * 7919 + version) % 3000;
}
