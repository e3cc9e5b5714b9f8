/** Files read and replaced as a whole. */
import { randomBytes } from 'node:crypto';
import type { Store } from './store.ts';

export class FileTooLargeError extends Error {
  override readonly name = 'FileTooLargeError';
}

/** Throws a FileTooLargeError, before reading, where the file is larger than `limitBytes`. */
export function readWholeFile(store: Store, path: string, limitBytes: number): Uint8Array {
  const file = store.openFile(path);
  try {
    const sizeBytes = file.sizeBytes();
    if (sizeBytes > limitBytes) {
      throw new FileTooLargeError(`${path} has ${sizeBytes} bytes, more than ${limitBytes}`);
    }
    const bytes = new Uint8Array(sizeBytes);
    return bytes.subarray(0, file.read(bytes, 0));
  } finally {
    file.close();
  }
}

/** Creates the file with this content and makes the content durable; the name is durable after `syncFolder`. */
export function createWholeFile(store: Store, path: string, ...parts: Uint8Array[]): void {
  const file = store.createFile(path);
  try {
    file.write(...parts);
    file.sync();
  } finally {
    file.close();
  }
}

/**
 * Replaces the file atomically and durably: written beside it as `<name>-<random>.tmp`, synced, renamed, folder
 * synced. Whoever reads or crashes meanwhile sees the old file or the new one.
 * Source: Borg 1.4.5 platform/base.py, SaveFile.
 */
export function saveWholeFile(store: Store, path: string, bytes: Uint8Array): void {
  const temporary = `${path}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    createWholeFile(store, temporary, bytes);
    store.rename(temporary, path);
  } catch (error) {
    if (store.stat(temporary) !== undefined) store.removeFile(temporary);
    throw error;
  }
  store.syncFolder(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
}
