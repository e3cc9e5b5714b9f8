/** What a transaction did to the list of archives: the difference of the manifests before and after it. */
import type { ArchiveEntry } from '../../format/manifest.ts';
import { equalBytes } from '../../util/bytes.ts';

/** By name, as the manifest has them. */
export type ArchiveList = ReadonlyMap<string, ArchiveEntry>;

export interface ArchiveChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  /** Another object under the same name. */
  readonly changed: readonly string[];
}

/**
 * An archive that went while another one of the same time came was renamed: its time stays, its id does not. Where
 * several have that time, nobody knows.
 */
export function compareArchiveLists(before: ArchiveList, after: ArchiveList): ArchiveChanges {
  const added = [...after.keys()].filter((name) => !before.has(name));
  const removed = [...before.keys()].filter((name) => !after.has(name));
  const newNames = byTime(after, added);
  const oldNames = byTime(before, removed);
  const renamed: { from: string; to: string }[] = [];
  for (const [time, [from, ...others]] of oldNames) {
    const [to, ...more] = newNames.get(time) ?? [];
    if (from !== undefined && to !== undefined && others.length + more.length === 0)
      renamed.push({ from, to });
  }
  return {
    added: added.filter((name) => !renamed.some(({ to }) => to === name)),
    removed: removed.filter((name) => !renamed.some(({ from }) => from === name)),
    renamed,
    changed: [...after.keys()].filter((name) => {
      const old = before.get(name);
      return old !== undefined && !equalBytes(old.id, after.get(name)!.id);
    }),
  };
}

function byTime(list: ArchiveList, names: readonly string[]): Map<string, string[]> {
  return Map.groupBy(names, (name) => list.get(name)!.time);
}
