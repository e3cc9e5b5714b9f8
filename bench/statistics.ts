/** What is said of the runs of one program in one row. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Throws a RangeError where there is nothing to sum up. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('no runs to sum up');
  const sorted = values.toSorted((a, b) => a - b);
  return { median: medianOfSorted(sorted), least: sorted[0]!, most: sorted.at(-1)! };
}

export function median(values: readonly number[]): number {
  return summarize(values).median;
}

function medianOfSorted(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How often `value` fits into the smallest of `others`; undefined where there are none. */
export function ratioToBest(value: number, others: readonly number[]): number | undefined {
  return others.length === 0 ? undefined : Math.min(...others) / value;
}

/** Which comes first in this round, so that none of `items` always follows the same one in the same state. */
export function rotated<Item>(items: readonly Item[], round: number): Item[] {
  if (items.length === 0) return [];
  const first = round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
