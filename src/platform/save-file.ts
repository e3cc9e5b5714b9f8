/**
 * Files that are replaced as a whole or not at all, also across a power failure: written beside the target,
 * synced, renamed, and the folder synced.
 *
 * Source: Borg 1.4.5, platform/base.py (SaveFile, SyncFile, sync_dir), helpers/fs.py (mkstemp_mode, safe_unlink).
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { randomInt } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { isOsError } from './os-error.ts';

export interface SaveFileOptions {
  /** Permission bits of the new file, less the umask. Default 0o666. */
  mode?: number;
}

/** Replaces the file's content atomically and durably. Errors are the operating system's; the old file then stays. */
export function saveFile(path: string, data: Uint8Array | string, options: SaveFileOptions = {}): void {
  using file = new SaveFile(path, options);
  file.write(typeof data === 'string' ? Buffer.from(data) : data);
  file.commit();
}

/**
 * A file being written beside its target. `commit()` puts it in the target's place; leaving the `using` block
 * without that removes it. Writers of the same target may run side by side: the last to commit wins.
 */
export class SaveFile implements Disposable {
  readonly path: string;
  readonly #temporaryPath: string;
  #fd: number | undefined;
  #finished = false;

  constructor(path: string, options: SaveFileOptions = {}) {
    this.path = path;
    const temporary = openTemporary(dirname(path), `${basename(path)}-`, options.mode ?? 0o666);
    this.#fd = temporary.fd;
    this.#temporaryPath = temporary.path;
  }

  write(data: Uint8Array): void {
    writeFully(this.#openFd(), data);
  }

  /** Makes what was written durable, then visible under the target's name. */
  commit(): void {
    const fd = this.#openFd();
    fdatasyncSync(fd);
    this.#fd = undefined;
    closeSync(fd);
    renameSync(this.#temporaryPath, this.path);
    this.#finished = true;
    syncDirectory(dirname(this.path));
  }

  [Symbol.dispose](): void {
    if (this.#finished) return;
    this.#finished = true;
    try {
      if (this.#fd !== undefined) closeSync(this.#fd);
    } finally {
      this.#fd = undefined;
      safeUnlink(this.#temporaryPath);
    }
  }

  #openFd(): number {
    if (this.#fd === undefined) throw new Error(`${this.path}: this SaveFile was closed`);
    return this.#fd;
  }
}

/** Makes renames, creations and removals in the folder durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some network file systems can't sync a folder and say EINVAL. Anything else, such as EIO, matters.
    if (!isOsError(error, 'EINVAL')) throw error;
  } finally {
    closeSync(fd);
  }
}

/** Unlinks the file; on a full copy-on-write file system, where that can fail, truncates it first. */
export function safeUnlink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // Truncating harms the other names of a hard-linked file, so only the last name may do it.
    if (!isOsError(error, 'ENOSPC') || statSync(path).nlink > 1) throw error;
    try {
      truncateSync(path);
    } catch {
      throw error;
    }
    unlinkSync(path);
  }
}

/** Writes all of the bytes, where a single write may take fewer. */
export function writeFully(fd: number, data: Uint8Array, position: number | null = null): void {
  let done = 0;
  while (done < data.length) {
    const at = position === null ? null : position + done;
    done += writeSync(fd, data, done, data.length - done, at);
  }
}

const NAME_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789_';

function openTemporary(folder: string, prefix: string, mode: number): { fd: number; path: string } {
  for (let attempt = 1; ; attempt++) {
    const random = Array.from({ length: 8 }, () => NAME_CHARACTERS[randomInt(NAME_CHARACTERS.length)]).join(
      '',
    );
    const path = `${folder}/${prefix}${random}.tmp`;
    try {
      return { fd: openSync(path, 'wx', mode), path };
    } catch (error) {
      if (!isOsError(error, 'EEXIST') || attempt === 100) throw error;
    }
  }
}
