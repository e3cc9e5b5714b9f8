/**
 * Several archives, each in a directory of its name, which is loaded when somebody looks into it.
 *
 * An archive's inodes are a number of it, times 2^32, and the number of the node. The archive's number comes of its id, so
 * that inodes are the same each time that it is shown, whatever archives come and go, but for rare cases: where two ids
 * would have the same number, the archive that comes later takes the next one.
 *
 * Source: Borg 1.4.5, fuse.py, _create_filesystem, check_pending_archive.
 */
import type { SelectedArchive } from '../archive/archive-selection.ts';
import { encodeSurrogateEscaped } from '../util/surrogate-escape.ts';
import { defaultAttributes } from './item-view.ts';
import { DIRECTORY_MODE } from './tree-builder.ts';
import { STATISTICS, type Tree, type TreeContext } from './tree.ts';
import {
  ROOT_INODE,
  type Soon,
  type Vfs,
  type VfsAttributes,
  type VfsEntry,
  VfsError,
  type VfsFile,
  type VfsStatistics,
} from './vfs.ts';

/** Loads an archive; its inodes are behind `base`. Rejects with a VfsError; it may be called again then. */
export type LoadTree = (archive: SelectedArchive, base: number, name: Uint8Array) => Promise<Tree>;

interface Entry {
  readonly archive: SelectedArchive;
  readonly name: Uint8Array;
  readonly inode: number;
  readonly base: number;
  readonly cookie: number;
  tree: Tree | undefined;
  loading: Promise<Tree> | undefined;
}

const INODES = 2 ** 32;
/** Numbers of archives: what leaves room for inodes below 2^53. */
const NUMBERS = 2 ** 20;
const DIRECTORY_TYPE = 0o040000;
const MAX_NAME_BYTES = 1024;
const SLASH = 0x2f;

export class ArchiveDirectory implements Vfs {
  readonly hasBirthtimes = false;
  readonly #shared: TreeContext;
  readonly #load: LoadTree;
  readonly #entries: Entry[] = [];
  readonly #byName = new Map<string, Entry>();
  readonly #byNumber = new Map<number, Entry>();

  constructor(shared: TreeContext, archives: readonly SelectedArchive[], load: LoadTree) {
    this.#shared = shared;
    this.#load = load;
    for (const archive of archives) this.#add(archive);
  }

  lookup(directory: number, name: Uint8Array): Soon<number> {
    if (directory !== ROOT_INODE) return this.#within(directory, (tree) => tree.lookup(directory, name));
    const text = Buffer.from(name).toString('latin1');
    if (text === '.' || text === '..') return ROOT_INODE;
    return this.#byName.get(text)?.inode ?? 0;
  }

  parent(inode: number): number {
    const { inode: top, tree } = inode === ROOT_INODE ? { inode, tree: undefined } : this.#entryOf(inode);
    if (inode === top) return ROOT_INODE;
    if (tree === undefined) throw new VfsError('ESTALE', `no inode ${inode}`);
    return tree.parent(inode);
  }

  attributes(inode: number): Soon<VfsAttributes> {
    const facts = { inode, mode: DIRECTORY_MODE, nlink: 1 };
    const { view, startedNs } = this.#shared;
    if (inode === ROOT_INODE) return defaultAttributes(facts, startedNs, view);
    const entry = this.#entryOf(inode);
    if (inode === entry.inode) return defaultAttributes(facts, entry.archive.timeNs, view);
    return this.#within(inode, (tree) => tree.attributes(inode));
  }

  entries(directory: number, after: number, visit: (entry: VfsEntry) => boolean): Soon<void> {
    if (directory !== ROOT_INODE) {
      return this.#within(directory, (tree) => tree.entries(directory, after, visit));
    }
    for (let index = after; index < this.#entries.length; index++) {
      const { name, inode, cookie } = this.#entries[index]!;
      if (!visit({ name, inode, type: DIRECTORY_TYPE, cookie })) return;
    }
  }

  readLink(inode: number): Soon<Uint8Array> {
    return this.#within(inode, (tree) => tree.readLink(inode));
  }

  xattrs(inode: number): Soon<ReadonlyMap<string, Uint8Array>> {
    if (inode === ROOT_INODE || this.#entryOf(inode).inode === inode) return new Map();
    return this.#within(inode, (tree) => tree.xattrs(inode));
  }

  open(inode: number): Soon<VfsFile> {
    if (inode === ROOT_INODE) throw new VfsError('EISDIR', 'a directory');
    return this.#within(inode, (tree) => tree.open(inode));
  }

  path(inode: number): Uint8Array {
    if (inode === ROOT_INODE) return new Uint8Array(0);
    const { inode: top, name, tree } = this.#entryOf(inode);
    if (inode === top) return name;
    if (tree === undefined) throw new VfsError('ESTALE', `no inode ${inode}`);
    return tree.path(inode);
  }

  statistics(): VfsStatistics {
    return STATISTICS;
  }

  close(): Promise<void> {
    return this.#shared.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #within<T>(inode: number, use: (tree: Tree) => Soon<T>): Soon<T> {
    if (inode === ROOT_INODE) throw new VfsError('EINVAL', 'a directory');
    const entry = this.#entryOf(inode);
    if (entry.tree !== undefined) return use(entry.tree);
    return this.#loaded(entry).then(use);
  }

  async #loaded(entry: Entry): Promise<Tree> {
    entry.loading ??= this.#load(entry.archive, entry.base, entry.name);
    try {
      entry.tree = await entry.loading;
      return entry.tree;
    } finally {
      entry.loading = undefined;
    }
  }

  #entryOf(inode: number): Entry {
    const entry = this.#byNumber.get(Math.floor(inode / INODES));
    if (entry === undefined) throw new VfsError('ESTALE', `no inode ${inode}`);
    return entry;
  }

  #add(archive: SelectedArchive): void {
    const name = encodeSurrogateEscaped(archive.name);
    const text = Buffer.from(name).toString('latin1');
    const isName = name.length > 0 && name.length <= MAX_NAME_BYTES && text !== '.' && text !== '..';
    if (!isName || name.includes(SLASH) || name.includes(0) || this.#byName.has(text)) {
      const message = `Archive ${archive.name}: not shown, since its name can't be that of a directory`;
      this.#shared.reporter.log('warning', message, { logger: 'borg.fuse' });
      return;
    }
    const number = this.#freeNumber(archive.id);
    const base = number * INODES;
    const cookie = this.#entries.length + 1;
    const entry = { archive, name, inode: base + 1, base, cookie, tree: undefined, loading: undefined };
    this.#entries.push(entry);
    this.#byName.set(text, entry);
    this.#byNumber.set(number, entry);
  }

  /** From 1; 0 is the root's. */
  #freeNumber(id: Uint8Array): number {
    const [a = 0, b = 0, c = 0] = id;
    let number = (a * 0x10000 + b * 0x100 + c) % NUMBERS;
    while (number === 0 || this.#byNumber.has(number)) number = (number + 1) % NUMBERS;
    return number;
  }
}
