/**
 * What damage means to the user: for each damaged or missing object, the files and archives that need it. However much
 * is damaged, memory is bounded: the first files are kept, the rest counted.
 */
import { MANIFEST_ID } from '../../repository/repository.ts';
import { equalBytes, toBinaryString, toHex } from '../../util/bytes.ts';
import { ChunkIndex } from '../cache/chunk-index.ts';

/** How many files are told apart. */
const MAX_FILES = 10_000;
/** How many objects are listed, and for each file. */
const MAX_CHUNKS = 10_000;
const MAX_FILE_CHUNKS = 16;

/**
 * - `damaged`: there is an object, but it can't be read, or is not what its id says
 * - `missing`: there is none
 * - `replaced`: there is none, and a former repair put zeros in its place
 */
export type ChunkProblem = 'damaged' | 'missing' | 'replaced';

export interface DamagedFile {
  readonly path: Uint8Array;
  /** Numbers of the archives that have the file with damage, from 0 in the order of the check: [first, last]. */
  readonly archiveRanges: [number, number][];
  /** How much of it can't be read in the archive where it is most. */
  lostBytes: number;
  /** The damage is an old one that a repair has put zeros for. */
  onlyReplaced: boolean;
  /** Ids in hex; the first ones. */
  readonly chunkIds: Set<string>;
  moreChunks: boolean;
}

/** An archive that is lost, or whose list of files has gaps. */
export interface DamagedArchive {
  readonly name: string;
  readonly id: Uint8Array;
  /**
   * - `missing`, `damaged`: the object that describes it
   * - `unauthenticated`: it may be forged
   * - `gaps`: parts of its list of files can't be read, so files may be missing from it
   */
  readonly problem: 'missing' | 'damaged' | 'unauthenticated' | 'gaps';
  /** Of `gaps`: how many. */
  readonly gaps?: number | undefined;
}

export interface DamagedChunk {
  readonly id: Uint8Array;
  readonly problem: ChunkProblem;
  /** Undefined for an object of which only the id is known. */
  readonly sizeBytes: number | undefined;
  /** How often files need it. */
  readonly references: number;
}

export class DamageCollector {
  /** Names of the archives that were looked at, in the order of the check. */
  readonly archiveNames: string[] = [];
  readonly archives: DamagedArchive[] = [];
  /** The list of archives was lost. */
  manifestProblem: string | undefined;
  /** Files that are not in `files`, once for each archive. */
  uncountedFiles = 0;
  readonly #damaged = new ChunkIndex();
  readonly #metadata = new ChunkIndex();
  readonly #files = new Map<string, DamagedFile>();
  /** What was found needed: refcount is how often, csizeBytes the number of the problem. */
  readonly #needed = new ChunkIndex();
  #affectedArchive = -1;
  #affectedArchives = 0;

  /** An object that is there and can't be used. */
  addDamagedChunk(id: Uint8Array): void {
    this.#damaged.set(id, { refcount: 0, sizeBytes: 0, csizeBytes: 0 });
  }

  /** It turned out to be right. */
  removeDamagedChunk(id: Uint8Array): void {
    this.#damaged.delete(id);
  }

  isDamaged(id: Uint8Array): boolean {
    return this.#damaged.size > 0 && this.#damaged.has(id);
  }

  /** The object describes an archive, or lists its files. */
  addMetadata(id: Uint8Array): void {
    this.#metadata.set(id, { refcount: 0, sizeBytes: 0, csizeBytes: 0 });
  }

  get damagedIds(): Iterable<Uint8Array> {
    return this.#damaged.table.keys();
  }

  /** What follows is found in this archive. */
  beginArchive(name: string): void {
    this.archiveNames.push(name);
  }

  beginFile(path: Uint8Array): FileDamage {
    return new FileDamage(this, path);
  }

  get files(): Iterable<DamagedFile> {
    return this.#files.values();
  }

  /** Archives that have damaged files; files that only hold zeros of a former repair don't count. */
  get affectedArchiveCount(): number {
    return this.#affectedArchives;
  }

  /** Objects that files need and don't find; without those that a former repair put zeros for. */
  get newlyNeeded(): { readonly count: number; readonly sizeBytes: number } {
    let count = 0;
    let sum = 0;
    for (const [, { sizeBytes, csizeBytes }] of this.#needed.entries()) {
      if (PROBLEMS[csizeBytes] === 'replaced') continue;
      count += 1;
      sum += sizeBytes;
    }
    return { count, sizeBytes: sum };
  }

  /** Damaged objects that no archive needs, as far as it was looked at; without the list of archives. */
  get unneededCount(): number {
    let count = 0;
    for (const id of this.damagedIds) {
      if (!this.#needed.has(id) && !this.#metadata.has(id) && !equalBytes(id, MANIFEST_ID)) count++;
    }
    return count;
  }

  /** Needed objects first. */
  *chunks(limit = MAX_CHUNKS): Generator<DamagedChunk> {
    let left = limit;
    for (const [id, { refcount, sizeBytes, csizeBytes }] of this.#needed.entries()) {
      if (left-- <= 0) return;
      yield { id, problem: PROBLEMS[csizeBytes]!, sizeBytes, references: refcount };
    }
    for (const id of this.damagedIds) {
      if (this.#needed.has(id)) continue;
      if (left-- <= 0) return;
      yield { id, problem: 'damaged', sizeBytes: undefined, references: 0 };
    }
  }

  get isEmpty(): boolean {
    return (
      this.#needed.size === 0 &&
      this.#damaged.size === 0 &&
      this.archives.length === 0 &&
      this.manifestProblem === undefined
    );
  }

  /** For FileDamage. */
  need(id: Uint8Array, sizeBytes: number, problem: ChunkProblem): void {
    this.#needed.countReference(id, sizeBytes, PROBLEMS.indexOf(problem));
    const number = this.archiveNames.length - 1;
    if (problem === 'replaced' || this.#affectedArchive === number) return;
    this.#affectedArchive = number;
    this.#affectedArchives += 1;
  }

  /** For FileDamage: the file's entry; undefined where there are too many. */
  fileEntry(path: Uint8Array): DamagedFile | undefined {
    const number = this.archiveNames.length - 1;
    const name = toBinaryString(path);
    let file = this.#files.get(name);
    if (file === undefined) {
      if (this.#files.size >= MAX_FILES) {
        this.uncountedFiles += 1;
        return undefined;
      }
      file = {
        path,
        archiveRanges: [],
        lostBytes: 0,
        onlyReplaced: true,
        chunkIds: new Set(),
        moreChunks: false,
      };
      this.#files.set(name, file);
    }
    const last = file.archiveRanges.at(-1);
    if (last !== undefined && last[1] >= number - 1) last[1] = number;
    else file.archiveRanges.push([number, number]);
    return file;
  }
}

const PROBLEMS: readonly ChunkProblem[] = ['missing', 'damaged', 'replaced'];

/** The damage of one file in one archive. */
export class FileDamage {
  readonly #collector: DamageCollector;
  readonly #path: Uint8Array;
  #file: DamagedFile | undefined;
  #lostBytes = 0;
  #isKnown = false;

  constructor(collector: DamageCollector, path: Uint8Array) {
    this.#collector = collector;
    this.#path = path;
  }

  add(id: Uint8Array, sizeBytes: number, problem: ChunkProblem): void {
    this.#collector.need(id, sizeBytes, problem);
    if (!this.#isKnown) {
      this.#file = this.#collector.fileEntry(this.#path);
      this.#isKnown = true;
    }
    const file = this.#file;
    if (file === undefined) return;
    this.#lostBytes += sizeBytes;
    file.lostBytes = Math.max(file.lostBytes, this.#lostBytes);
    if (problem !== 'replaced') file.onlyReplaced = false;
    if (file.chunkIds.size < MAX_FILE_CHUNKS) file.chunkIds.add(toHex(id));
    else if (!file.chunkIds.has(toHex(id))) file.moreChunks = true;
  }
}
