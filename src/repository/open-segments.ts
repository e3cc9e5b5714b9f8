/** Segment files that are open for reading, the most recently used ones. Source: Borg 1.4.5 repository.py, get_fd. */
import { IntegrityError } from '../errors.ts';
import { hasCode } from '../store/store.ts';
import type { ReadHandle } from '../store/store.ts';
import type { SegmentFiles } from './segment-files.ts';

const MAX_OPEN_FILES = 90;
/** Files unused for longer are closed: a handle on a network file system goes stale. */
const MAX_IDLE_MS = 4 * 60 * 1000;

interface OpenSegment {
  readonly handle: ReadHandle;
  usedMs: number;
  /** How many read from it on other threads. */
  leases: number;
  /** To be closed when they are done. */
  isForgotten: boolean;
}

/** A file that stays open, though the segment may be forgotten, until release(), which is to be called once. */
export interface SegmentLease {
  readonly fd: number;
  release(): void;
}

export class OpenSegments {
  readonly #files: SegmentFiles;
  /** In order of use, the oldest first. */
  readonly #open = new Map<number, OpenSegment>();
  #lastSegment = -1;
  #lastHandle: ReadHandle | undefined;

  constructor(files: SegmentFiles) {
    this.#files = files;
  }

  /** Good until the next call. Throws an IntegrityError where there is no such segment. */
  file(segment: number): ReadHandle {
    if (segment === this.#lastSegment) return this.#lastHandle!;
    const nowMs = performance.now();
    let file = this.#open.get(segment);
    if (file === undefined) {
      file = { handle: this.#openFile(segment), usedMs: nowMs, leases: 0, isForgotten: false };
    } else {
      this.#open.delete(segment);
      file.usedMs = nowMs;
    }
    this.#open.set(segment, file);
    for (const [old, { usedMs }] of this.#open) {
      if (this.#open.size <= MAX_OPEN_FILES && nowMs - usedMs <= MAX_IDLE_MS) break;
      this.forget(old);
    }
    this.#lastSegment = segment;
    this.#lastHandle = file.handle;
    return file.handle;
  }

  /** The segment's file for another thread; undefined where it has no number to read by. Throws as file(). */
  lease(segment: number): SegmentLease | undefined {
    const { fd } = this.file(segment);
    if (fd === undefined) return undefined;
    const file = this.#open.get(segment)!;
    file.leases++;
    return {
      fd,
      release: () => {
        if (--file.leases === 0 && file.isForgotten) file.handle.close();
      },
    };
  }

  /** Closes the segment's file, before it is removed or replaced. */
  forget(segment: number): void {
    const file = this.#open.get(segment);
    this.#open.delete(segment);
    if (segment === this.#lastSegment) this.#lastSegment = -1;
    if (file === undefined) return;
    if (file.leases === 0) file.handle.close();
    else file.isForgotten = true;
  }

  close(): void {
    for (const segment of this.#open.keys()) this.forget(segment);
  }

  #openFile(segment: number): ReadHandle {
    try {
      return this.#files.store.openFile(this.#files.path(segment));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      throw new IntegrityError([`Segment file is missing [segment ${segment}]`], error);
    }
  }
}
