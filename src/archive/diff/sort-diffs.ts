/**
 * Orders in which differences can be shown.
 *
 * Source: Borg 1.4.5, archiver.py, do_diff (key_for) and diff_sort_spec_validator.
 */
import type { Item } from '../../format/item.ts';
import { compareBytes, fromUtf8 } from '../../util/bytes.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import { itemSizeBytes } from '../listing/item-sizes.ts';
import type { PathDiff } from './compare-archives.ts';

export const DIFF_SORT_FIELDS = [
  'path',
  'size_added',
  'size_removed',
  'size_diff',
  'size',
  'user',
  'group',
  'uid',
  'gid',
  'ctime',
  'mtime',
  'ctime_diff',
  'mtime_diff',
] as const;

export type DiffSortField = (typeof DIFF_SORT_FIELDS)[number];

export interface DiffSortKey {
  readonly field: DiffSortField;
  readonly descending: boolean;
}

type Comparable = number | bigint | Uint8Array;

/** By the first key, then by the second, and so on; what is equal in all of them keeps its order. */
export function sortDiffs(diffs: readonly PathDiff[], keys: readonly DiffSortKey[]): PathDiff[] {
  const decorated = diffs.map((diff) => ({ diff, values: keys.map(({ field }) => valueOf(field, diff)) }));
  decorated.sort((a, b) => {
    for (const [index, { descending }] of keys.entries()) {
      const order = compare(a.values[index]!, b.values[index]!);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
  return decorated.map(({ diff }) => diff);
}

function valueOf(field: DiffSortField, diff: PathDiff): Comparable {
  const { before, after, path } = diff;
  switch (field) {
    case 'path':
      // The bytes of UTF-8 are in the order of its code points.
      return fromUtf8(toDisplayText(path));
    case 'size_added':
      return sizeChange(diff).addedBytes;
    case 'size_removed':
      return sizeChange(diff).removedBytes;
    case 'size_diff': {
      const { addedBytes, removedBytes } = sizeChange(diff);
      return addedBytes - removedBytes;
    }
    case 'size':
      return after === undefined ? 0 : itemSizeBytes(after);
    case 'user':
    case 'group':
      return after?.[field] ?? new Uint8Array(0);
    case 'uid':
    case 'gid':
      return after?.[field] ?? -1;
    case 'ctime':
    case 'mtime':
      return timeOf(field, after);
    case 'ctime_diff':
      return timeOf('ctime', after) - timeOf('ctime', before);
    case 'mtime_diff':
      return timeOf('mtime', after) - timeOf('mtime', before);
  }
}

function sizeChange({ changes }: PathDiff): { addedBytes: number; removedBytes: number } {
  const sum = { addedBytes: 0, removedBytes: 0 };
  for (const change of changes) {
    if (change.type === 'added') sum.addedBytes += change.sizeBytes;
    else if (change.type === 'removed') sum.removedBytes += change.sizeBytes;
    else if (change.type === 'modified') {
      sum.addedBytes += change.addedBytes ?? 0;
      sum.removedBytes += change.removedBytes ?? 0;
    }
  }
  return sum;
}

function timeOf(field: 'ctime' | 'mtime', item: Item | undefined): bigint {
  return (field === 'ctime' ? item?.ctimeNs : item?.mtimeNs) ?? 0n;
}

function compare(a: Comparable, b: Comparable): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}
