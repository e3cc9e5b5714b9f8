/**
 * Which archives of a repository a command is about.
 *
 * Source: Borg 1.4.5, helpers/manifest.py, Archives.list.
 */
import type { ArchiveEntry } from '../format/manifest.ts';
import { compareBytes } from '../util/bytes.ts';
import { compilePythonRegex } from '../util/python-regex.ts';
import { decodeTimestamp } from '../format/timestamp.ts';
import { shellPatternToRegex } from './patterns/glob-regex.ts';

export type ArchiveSortKey = 'ts' | 'name' | 'id';

export interface SelectedArchive {
  readonly name: string;
  readonly id: Uint8Array;
  /** When it was started; the manifest's copy. */
  readonly timeNs: bigint;
}

export interface ArchiveSelection {
  /** Shell pattern for names. */
  readonly glob?: string | undefined;
  /** What names begin with, itself a shell pattern; goes before `glob`. */
  readonly prefix?: string | undefined;
  /** What a name may end with behind what the pattern matches, as a regular expression. Default: nothing. */
  readonly matchEnd?: string | undefined;
  /** Most significant first. Default: the manifest's order, that of names. */
  readonly sortBy?: readonly ArchiveSortKey[] | undefined;
  readonly first?: number | undefined;
  readonly last?: number | undefined;
  /** Checkpoint archives too. Default true. */
  readonly considerCheckpoints?: boolean | undefined;
  readonly reverse?: boolean | undefined;
}

const comparators: Readonly<Record<ArchiveSortKey, (a: SelectedArchive, b: SelectedArchive) => number>> = {
  ts: (a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0),
  name: (a, b) => compareCodePoints(a.name, b.name),
  id: (a, b) => compareBytes(a.id, b.id),
};

/** Throws PythonRegexError where the glob is no valid pattern. */
export function selectArchives(
  archives: Iterable<readonly [string, ArchiveEntry]>,
  selection: ArchiveSelection = {},
): SelectedArchive[] {
  const glob = selection.prefix === undefined ? selection.glob : `${selection.prefix}*`;
  const regex = compilePythonRegex(shellPatternToRegex(glob || '*', selection.matchEnd), { anchored: true });
  let selected: SelectedArchive[] = [];
  for (const [name, { id, time }] of archives) {
    if (!regex.test(name)) continue;
    if (selection.considerCheckpoints === false && name.includes('.checkpoint')) continue;
    selected.push({ name, id, timeNs: decodeTimestamp(time) });
  }
  for (const key of (selection.sortBy ?? []).toReversed()) selected.sort(comparators[key]);
  const { first, last } = selection;
  if (first) selected = selected.slice(0, first);
  else if (last) selected = selected.slice(Math.max(selected.length - last, 0));
  return selection.reverse === true ? selected.toReversed() : selected;
}

function compareCodePoints(a: string, b: string): number {
  const left = a[Symbol.iterator]();
  const right = b[Symbol.iterator]();
  for (;;) {
    const x = left.next();
    const y = right.next();
    if (x.done || y.done) return Number(y.done ?? false) - Number(x.done ?? false);
    const difference = x.value.codePointAt(0)! - y.value.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
}
