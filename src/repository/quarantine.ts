/**
 * What repairs have replaced, kept within the repository until the user drops it: `quarantine/<time>/` holds, for one
 * repair,
 *
 *     segment.<n>       a segment as it was
 *     segment.<n>.sums  the checksums beside it, if there were any
 *     segment.<n>.map   which bytes of it could not be read, as a mapfile of GNU ddrescue
 *     index.<n> etc.    files of a transaction as they were
 *     README            what was done, for people
 *
 * Borg sees nothing of it: it reads no other names in a repository than its own.
 */
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { PatientReader } from './check/patient-reader.ts';
import { removeTree } from './destroy.ts';

const QUARANTINE = 'quarantine';
const COPY_SIZE_BYTES = 1024 * 1024;

export interface QuarantinedFile {
  /** Within the repository. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** What one repair put aside. */
export interface QuarantinedRepair {
  /** When it began: `2026-01-31T12-00-00Z`, with a number behind it where there were several. */
  readonly name: string;
  readonly files: readonly QuarantinedFile[];
  readonly sizeBytes: number;
}

/** The oldest first. */
export function listQuarantine(store: Store): QuarantinedRepair[] {
  if (store.stat(QUARANTINE)?.kind !== 'folder') return [];
  const repairs: QuarantinedRepair[] = [];
  for (const { name, kind, isLink } of store.list(QUARANTINE)) {
    if (kind !== 'folder' || isLink) continue;
    const folder = `${QUARANTINE}/${name}`;
    const files = store
      .list(folder)
      .map((entry) => `${folder}/${entry.name}`)
      .toSorted()
      .map((path) => ({ path, sizeBytes: store.stat(path)?.sizeBytes ?? 0 }));
    repairs.push({ name, files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) });
  }
  return repairs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Removes all that repairs have put aside; gives what that was. */
export function dropQuarantine(store: Store): QuarantinedRepair[] {
  const dropped = listQuarantine(store);
  if (store.stat(QUARANTINE) !== undefined) removeTree(store, QUARANTINE);
  store.syncFolder('');
  return dropped;
}

/** The folder for a repair that begins now; it is not created. */
export function quarantineFolder(store: Store, nowNs: bigint): string {
  const second = new Date(Number(nowNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const name = `${QUARANTINE}/${second.replaceAll(':', '-')}Z`;
  for (let number = 1; ; number++) {
    const path = number === 1 ? name : `${name}-${number}`;
    if (store.stat(path) === undefined) return path;
  }
}

/** Makes the folder of a path within the quarantine, durably. */
export function createQuarantineFolder(store: Store, path: string): void {
  const folder = path.slice(0, path.lastIndexOf('/'));
  for (const [made, parent] of [
    [QUARANTINE, ''],
    [folder, QUARANTINE],
  ] as const) {
    if (store.stat(made) !== undefined) continue;
    store.createFolder(made);
    store.syncFolder(parent);
  }
}

/**
 * Gives the file a second name in the quarantine; where the file system knows no second names, a copy of what of it can
 * be read.
 */
export function keepFile(store: Store, path: string, to: string): void {
  createQuarantineFolder(store, to);
  try {
    store.link(path, to);
  } catch (error) {
    if (!hasCode(error, 'EMLINK', 'ENOSYS', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
    copyReadable(store, path, to);
  }
  store.syncFolder(folderOf(to));
}

function copyReadable(store: Store, path: string, to: string): void {
  const from = store.openFile(path);
  try {
    const reader = new PatientReader(from);
    const file = store.createFile(to);
    try {
      const buffer = new Uint8Array(COPY_SIZE_BYTES);
      for (let offset = 0; offset < reader.sizeBytes; offset += buffer.length) {
        file.write(buffer.subarray(0, reader.read(buffer, offset)));
      }
      file.sync();
    } finally {
      file.close();
    }
  } finally {
    from.close();
  }
}

/** Takes the file out of the repository. */
export function moveFile(store: Store, path: string, to: string): void {
  createQuarantineFolder(store, to);
  store.rename(path, to);
  store.syncFolder(folderOf(to));
  store.syncFolder(folderOf(path));
}

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}
