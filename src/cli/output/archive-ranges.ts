/** Names of archives that follow each other, folded: `mon-01 … mon-12, tue`. */
import { removeSurrogates } from '../../util/surrogate-escape.ts';
import { printable } from './width.ts';

/** More ranges than these are left out. */
const MAX_RANGES = 4;

/** `ranges` are numbers of archives, [first, last], in ascending order. */
export function foldArchives(
  names: readonly string[],
  ranges: readonly (readonly [number, number])[],
): string {
  const count = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const shown = ranges.slice(0, MAX_RANGES).map(([first, last]) => {
    if (first === last) return nameOf(names, first);
    const between = last === first + 1 ? ', ' : ' … ';
    return nameOf(names, first) + between + nameOf(names, last);
  });
  if (ranges.length > MAX_RANGES) shown.push('…');
  return count === 1 ? shown.join('') : `${count} archives, ${shown.join(', ')}`;
}

function nameOf(names: readonly string[], number: number): string {
  return printable(removeSurrogates(names[number] ?? '?'));
}
