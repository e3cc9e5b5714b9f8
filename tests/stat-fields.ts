import type { FileStat } from '../src/platform/file-stat.ts';

const NAMES = [
  'dev',
  'ino',
  'mode',
  'nlink',
  'uid',
  'gid',
  'rdev',
  'sizeBytes',
  'blocks',
  'atimeNs',
  'mtimeNs',
  'ctimeNs',
] as const;

/** What a stat says, to be compared: it may be of a class of its own. Inode flags are not among it. */
export function statFields(stat: FileStat): object {
  const fields = Object.fromEntries(NAMES.map((name) => [name, stat[name]]));
  return stat.birthtimeNs === undefined ? fields : { ...fields, birthtimeNs: stat.birthtimeNs };
}
