/**
 * Slips between two words: a character too many, too few or another, or two neighbours that changed places, count 1
 * each (optimal string alignment). Takes the product of the lengths in time.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** The choice that `typed` most likely was meant to be; undefined where none is near. */
export function nearestWord(typed: string, choices: Iterable<string>): string | undefined {
  const longest = 64;
  if (typed.length > longest) return undefined;
  const word = typed.toLowerCase();
  let nearest: string | undefined;
  // A third of a word's letters may be wrong, and at least one.
  let least = Math.max(1, Math.floor(word.replace(/^-+/, '').length / 3)) + 1;
  for (const choice of choices) {
    const distance = editDistance(word, choice.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    nearest = choice;
  }
  return nearest;
}
