/**
 * Directories that say of themselves that they need no backup: by CACHEDIR.TAG or a name that the user chose.
 *
 * Source: Borg 1.4.5, helpers/fs.py, dir_is_cachedir and dir_is_tagged.
 */
import { stat } from '../../platform/file-stat.ts';
import { CACHE_TAG_NAME } from '../../platform/home.ts';
import { isCacheDirectory } from '../../platform/open-file.ts';
import { fromUtf8 } from '../../util/bytes.ts';
import { joinPath } from './path-bytes.ts';

export interface TagOptions {
  readonly excludeCaches: boolean;
  /** Names of files or directories. */
  readonly excludeIfPresent: readonly Uint8Array[];
}

const TAG_NAME = fromUtf8(CACHE_TAG_NAME);

/** Names of the tags that the directory, open as `fd`, has. */
export function directoryTags(path: Uint8Array, fd: number, options: TagOptions): Uint8Array[] {
  const tags: Uint8Array[] = [];
  if (options.excludeCaches && isCacheDirectory(fd)) tags.push(TAG_NAME);
  for (const tag of options.excludeIfPresent) {
    if (isPresent(path, fd, tag)) tags.push(tag);
  }
  return tags;
}

function isPresent(path: Uint8Array, directoryFd: number, name: Uint8Array): boolean {
  try {
    stat(joinPath(path, name), { directoryFd, name });
    return true;
  } catch {
    return false;
  }
}
