/** What may have been meant by a word that nobody knows. */
import { nearestWord } from '../util/edit-distance.ts';

/** The line below an error message; undefined where nothing is near. */
export function suggestion(typed: string, choices: Iterable<string>): string | undefined {
  const nearest = nearestWord(typed, choices);
  return nearest === undefined ? undefined : `Did you mean "${nearest}"?`;
}

/** What other programs call the same. */
const otherNames: Readonly<Record<string, string>> = {
  check: 'verify fsck',
  create: 'save archive',
  delete: 'rm remove',
  diff: 'compare',
  extract: 'restore recover unpack',
  info: 'stats status',
  list: 'ls snapshots archives',
  prune: 'forget',
  rename: 'mv',
  umount: 'unmount',
};

export function commandSuggestion(typed: string, choices: readonly string[]): string | undefined {
  const meant = choices.find((choice) => otherNames[choice]?.split(' ').includes(typed.toLowerCase()));
  return meant === undefined ? suggestion(typed, choices) : `Did you mean "${meant}"?`;
}
