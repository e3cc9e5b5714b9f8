/**
 * Hard links in archives: the first name of a file carries all of it, the others name the first as their source.
 *
 * Source: Borg 1.4.5, helpers/fs.py, hardlinkable; archive.py, is_hardlink_master.
 */
import type { Item } from '../format/item.ts';
import { isBlockDevice, isCharacterDevice, isFifo, isRegular } from '../platform/file-stat.ts';

/** Whether its `source` would be a hard link's, not a symbolic link's. */
export function isLinkable({ mode = 0 }: Item): boolean {
  return isRegular(mode) || isBlockDevice(mode) || isCharacterDevice(mode) || isFifo(mode);
}

/** Whether other items may name it as their source. */
export function isLinkMaster(item: Item): boolean {
  return item.hardlinkMaster !== false && item.source === undefined && isLinkable(item);
}
