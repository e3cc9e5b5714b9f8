/**
 * The segment files of a repository, `data/<segment / segments_per_dir>/<segment>`: their names, order and removal.
 * A file of no bytes counts as removed, since removal may truncate first. Beside a segment may be its checksums,
 * `<segment>.sums`, and files that were to become so.
 *
 * Source: Borg 1.4.5 repository.py, LoggedIO.
 */
import { InvalidRepositoryConfig } from '../errors.ts';
import { hasCode } from '../store/store.ts';
import type { EntryKind, Store, WriteHandle } from '../store/store.ts';

const MAX_SEGMENT = 2 ** 32 - 1;
const DATA = 'data';
const CHECKSUMS_NAME = /^(?<segment>0|[1-9][0-9]{0,9})\.sums/;

export class SegmentFiles {
  readonly store: Store;
  readonly #segmentsPerDir: number;
  /** The folder whose name was made durable last. */
  #durableFolder: string | undefined;

  constructor(store: Store, segmentsPerDir: number) {
    this.store = store;
    this.#segmentsPerDir = segmentsPerDir;
  }

  path(segment: number): string {
    return `${this.#folder(segment)}/${segment}`;
  }

  checksumsPath(segment: number): string {
    return `${this.path(segment)}.sums`;
  }

  /** All segments from `first` on, ascending. */
  *ascending(first = 0): Generator<number> {
    const firstFolder = Math.floor(first / this.#segmentsPerDir);
    for (const folder of this.#numbers(DATA, 'folder')) {
      if (folder < firstFolder) continue;
      for (const segment of this.#numbers(`${DATA}/${folder}`, 'file')) if (segment >= first) yield segment;
    }
  }

  *descending(): Generator<number> {
    for (const folder of this.#numbers(DATA, 'folder').toReversed()) {
      yield* this.#numbers(`${DATA}/${folder}`, 'file').toReversed();
    }
  }

  /**
   * Throws an InvalidRepositoryConfig where a file is in a folder in which it is not looked for. With a wrong number of
   * segments per folder, most of a repository would seem to be missing.
   */
  assertPlaced(): void {
    for (const folder of this.#numbers(DATA, 'folder')) {
      for (const segment of this.#numbers(`${DATA}/${folder}`, 'file')) {
        if (Math.floor(segment / this.#segmentsPerDir) === folder || this.sizeBytes(segment) !== undefined)
          continue;
        const config = `segments_per_dir = ${this.#segmentsPerDir}`;
        const text = `there is ${DATA}/${folder}/${segment}, while ${config} wants it to be ${this.path(segment)}`;
        throw new InvalidRepositoryConfig([this.store.root, text]);
      }
    }
  }

  latest(): number | undefined {
    const { value } = this.descending().next();
    return value ?? undefined;
  }

  count(): number {
    let count = 0;
    for (const folder of this.#numbers(DATA, 'folder'))
      count += this.#numbers(`${DATA}/${folder}`, 'file').length;
    return count;
  }

  /** Undefined where there is no such segment. */
  sizeBytes(segment: number): number | undefined {
    return this.store.stat(this.path(segment))?.sizeBytes;
  }

  exists(segment: number): boolean {
    return (this.sizeBytes(segment) ?? 0) > 0;
  }

  /** Creates the segment's file, and its folder with the first segment in it. */
  create(segment: number): WriteHandle {
    const folder = this.#folder(segment);
    if (this.store.stat(folder) === undefined) this.store.createFolder(folder);
    if (folder !== this.#durableFolder) {
      // Also where it is there: whoever made it may have been killed before this.
      this.store.syncFolder(DATA);
      this.#durableFolder = folder;
    }
    return this.store.createFile(this.path(segment));
  }

  /** Makes the segment durable, which is another process's work. */
  sync(segment: number): void {
    this.store.syncFile(this.path(segment));
    this.syncName(segment);
    this.store.syncFolder(DATA);
  }

  /** Makes the segment's name durable. */
  syncName(segment: number): void {
    this.store.syncFolder(this.#folder(segment));
  }

  /** Removes the segment and its checksums. Removing what is gone already is no error. */
  remove(segment: number): void {
    try {
      this.store.removeFile(this.path(segment));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    this.#removeChecksumFile(this.checksumsPath(segment));
  }

  /** Removes checksums of segments from `first` on, which are not there. */
  removeChecksums(first: number): void {
    const firstFolder = Math.floor(first / this.#segmentsPerDir);
    for (const folder of this.#numbers(DATA, 'folder')) {
      if (folder >= firstFolder) this.#removeChecksumsIn(`${DATA}/${folder}`, (segment) => segment >= first);
    }
  }

  /** Borg leaves checksums behind when it removes segments: they go, too. */
  removeEmptyFolders(): void {
    for (const folder of this.#numbers(DATA, 'folder')) {
      const path = `${DATA}/${folder}`;
      this.#removeChecksumsIn(path, (segment) => this.sizeBytes(segment) === undefined);
      if (this.store.list(path).length > 0) continue;
      try {
        if (path === this.#durableFolder) this.#durableFolder = undefined;
        this.store.removeFolder(path);
      } catch (error) {
        if (!hasCode(error)) throw error;
      }
    }
    this.store.syncFolder(DATA);
  }

  #removeChecksumsIn(folder: string, isMeant: (segment: number) => boolean): void {
    for (const { name } of this.store.list(folder)) {
      const segment = CHECKSUMS_NAME.exec(name)?.groups?.['segment'];
      if (segment !== undefined && isMeant(Number(segment))) {
        this.#removeChecksumFile(`${folder}/${name}`);
      }
    }
  }

  /** Where that fails, the file does no harm: it is about entries that are no more. */
  #removeChecksumFile(path: string): void {
    try {
      this.store.removeFile(path);
    } catch (error) {
      if (!hasCode(error)) throw error;
    }
  }

  #folder(segment: number): string {
    return `${DATA}/${Math.floor(segment / this.#segmentsPerDir)}`;
  }

  #numbers(folder: string, kind: EntryKind): number[] {
    const numbers: number[] = [];
    for (const entry of this.store.list(folder)) {
      // Leading zeros would give two files one number.
      if (entry.kind !== kind || !/^(?:0|[1-9][0-9]{0,9})$/.test(entry.name)) continue;
      const number = Number(entry.name);
      if (number <= MAX_SEGMENT) numbers.push(number);
    }
    return numbers.toSorted((a, b) => a - b);
  }
}
