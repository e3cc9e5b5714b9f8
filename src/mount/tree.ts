/** A table of nodes as a tree of files: of one archive, or of the versions of several. */
import { RepositoryOutOfReach } from '../archive/lasting-repository.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { PackedItem } from '../format/packed-item.ts';
import { isDirectory, isRegular, isSymlink } from '../platform/file-stat.ts';
import { concatBytes, toHex } from '../util/bytes.ts';
import type { Reporter } from '../util/reporter.ts';
import { toDisplayText } from '../util/surrogate-escape.ts';
import type { FileChunks } from './file-chunks.ts';
import { FileContent } from './file-content.ts';
import { readItemAt } from './item-positions.ts';
import { type ViewOptions, defaultAttributes, itemAttributes, itemXattrs, sizeOf } from './item-view.ts';
import type { MetadataChunks } from './metadata-chunks.ts';
import { NONE, type NodeTable, ROOT_NODE } from './node-table.ts';
import type { ItemPlace } from './tree-builder.ts';
import {
  type Soon,
  type VfsAttributes,
  type Vfs,
  type VfsEntry,
  VfsError,
  type VfsFile,
  type VfsStatistics,
} from './vfs.ts';

/** What all trees of a Vfs share. */
export interface TreeContext {
  readonly reporter: Reporter;
  readonly metadata: MetadataChunks;
  readonly chunks: FileChunks;
  readonly view: ViewOptions;
  /** Open files whose lost contents a check replaced by zeros. */
  readonly allowDamagedFiles: boolean;
  /** Of directories that no item is about. */
  readonly startedNs: bigint;
  readonly close: () => Promise<void>;
}

/** As Borg gives them. */
export const STATISTICS: VfsStatistics = { blockSizeBytes: 512, blocks: 0, files: 0, maxNameBytes: 255 };

export interface TreeParts {
  readonly table: NodeTable;
  /** See TreeBuilder. */
  readonly contents: ReadonlyMap<number, ItemPlace>;
  readonly hasBirthtimes: boolean;
  /** Inodes are numbered behind this. */
  readonly base: number;
  /** The inode of the root's own directory, and the root's name there. */
  readonly rootParent: number;
  readonly rootName: Uint8Array;
  readonly rootTimeNs: bigint;
}

const TYPE_MASK = 0o170000;
const SLASH = Uint8Array.of(0x2f);
const DOT = 0x2e;
/** Log lines of chunks that could not be read, each once. */
const MAX_TOLD = 10_000;
/** The attributes of items that take long to read are remembered. */
const LONG_ITEM_BYTES = 64 * 1024;
const LOGGER = { logger: 'borg.fuse' };

export class Tree implements Vfs {
  readonly #shared: TreeContext;
  readonly #parts: TreeParts;
  readonly #table: NodeTable;
  readonly #item = new PackedItem();
  readonly #longItems = new Map<number, VfsAttributes>();
  readonly #told = new Set<string>();

  constructor(shared: TreeContext, parts: TreeParts) {
    this.#shared = shared;
    this.#parts = parts;
    this.#table = parts.table;
  }

  get table(): NodeTable {
    return this.#table;
  }

  get hasBirthtimes(): boolean {
    return this.#parts.hasBirthtimes;
  }

  lookup(directory: number, name: Uint8Array): number {
    const node = this.#directory(directory);
    if (name.length === 1 && name[0] === DOT) return directory;
    if (name.length === 2 && name[0] === DOT && name[1] === DOT) return this.parent(directory);
    const edge = this.#table.find(node, name);
    return edge === NONE ? 0 : this.#inode(this.#table.target(edge));
  }

  parent(inode: number): number {
    const node = this.#node(inode);
    const edge = this.#table.edgeOf(node);
    if (edge === NONE) return node === ROOT_NODE ? this.#parts.rootParent : this.#inode(ROOT_NODE);
    return this.#inode(this.#table.directory(edge));
  }

  attributes(inode: number): Soon<VfsAttributes> {
    const node = this.#node(inode);
    const facts = { inode, mode: this.#table.mode(node), nlink: this.#table.links(node) };
    const { view } = this.#shared;
    if (this.#table.chunk(node) === NONE) {
      const timeNs = node === ROOT_NODE ? this.#parts.rootTimeNs : this.#shared.startedNs;
      return defaultAttributes(facts, timeNs, view);
    }
    const long = this.#longItems.get(node);
    if (long !== undefined) return long;
    const contents = this.#parts.contents.get(node);
    if (contents !== undefined) {
      return this.#readItem(contents, (item) => sizeOf(item, facts.mode)).then((sizeBytes) =>
        this.#readItem(this.#place(node), (item) => itemAttributes(item, facts, view, sizeBytes)),
      );
    }
    return this.#withItem(node, (item, sizeBytes) => {
      const attributes = itemAttributes(item, facts, view);
      if (sizeBytes >= LONG_ITEM_BYTES) this.#longItems.set(node, attributes);
      return attributes;
    });
  }

  entries(directory: number, after: number, visit: (entry: VfsEntry) => boolean): void {
    const table = this.#table;
    const node = this.#directory(directory);
    if (!(after >= 0 && after <= table.edgeCount))
      throw new VfsError('EINVAL', 'no such place in a directory');
    let edge = after === 0 ? table.firstEdge(node) : table.nextEdge(after - 1);
    for (; edge !== NONE; edge = table.nextEdge(edge)) {
      const target = table.target(edge);
      const type = table.mode(target) & TYPE_MASK;
      if (!visit({ name: table.name(edge), inode: this.#inode(target), type, cookie: edge + 1 })) return;
    }
  }

  readLink(inode: number): Soon<Uint8Array> {
    const node = this.#node(inode);
    if (!isSymlink(this.#table.mode(node))) throw new VfsError('EINVAL', 'not a symbolic link');
    return this.#withItem(node, (item) => item.raw('source')?.slice() ?? new Uint8Array(0));
  }

  xattrs(inode: number): Soon<ReadonlyMap<string, Uint8Array>> {
    const node = this.#node(inode);
    if (this.#table.chunk(node) === NONE) return new Map();
    return this.#withItem(node, (item) => itemXattrs(item, this.#table.mode(node), this.#shared.view));
  }

  open(inode: number): Soon<VfsFile> {
    const node = this.#node(inode);
    const mode = this.#table.mode(node);
    if (isDirectory(mode)) throw new VfsError('EISDIR', 'a directory');
    if (!isRegular(mode)) throw new VfsError('EINVAL', 'not a regular file');
    const place = this.#parts.contents.get(node) ?? this.#place(node);
    return this.#withItemAt(place, (item) => {
      if (item.has('chunks_healthy') && !this.#shared.allowDamagedFiles) throw this.#knownDamage(inode);
      const table = item.chunks() ?? { ids: new Uint8Array(0), ends: new Float64Array(0) };
      return new FileContent(this.#shared.chunks, table, (error, chunk, id) =>
        this.#readFailure(inode, error, chunk, id),
      );
    });
  }

  path(inode: number): Uint8Array {
    const names: Uint8Array[] = [];
    const { rootName } = this.#parts;
    let node = this.#node(inode);
    for (let edge = this.#table.edgeOf(node); edge !== NONE; edge = this.#table.edgeOf(node)) {
      names.push(this.#table.name(edge), SLASH);
      node = this.#table.directory(edge);
    }
    if (rootName.length > 0) names.push(rootName, SLASH);
    return concatBytes(names.slice(0, -1).toReversed());
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

  #inode(node: number): number {
    return this.#parts.base + node + 1;
  }

  #node(inode: number): number {
    const node = inode - this.#parts.base - 1;
    if (node >= 0 && node < this.#table.nodeCount && Number.isInteger(node)) return node;
    throw new VfsError('ESTALE', `no inode ${inode}`);
  }

  #directory(inode: number): number {
    const node = this.#node(inode);
    if (!isDirectory(this.#table.mode(node))) throw new VfsError('ENOTDIR', 'not a directory');
    return node;
  }

  #place(node: number): ItemPlace {
    return { chunk: this.#table.chunk(node), offset: this.#table.offset(node) };
  }

  /** Reads the node's item at once where its chunk is at hand. */
  #withItem<T>(node: number, read: (item: PackedItem, sizeBytes: number) => T): Soon<T> {
    const chunk = this.#table.chunk(node);
    const data = this.#shared.metadata.peek(chunk);
    if (data !== undefined) {
      const offset = this.#table.offset(node);
      this.#item.wrap(data);
      const end = decoded(() => this.#item.read(offset));
      if (end >= 0) return decoded(() => read(this.#item, end - offset));
    }
    return this.#readItem(this.#place(node), read);
  }

  #withItemAt<T>(place: ItemPlace, read: (item: PackedItem) => T): Soon<T> {
    const data = this.#shared.metadata.peek(place.chunk);
    if (data !== undefined) {
      this.#item.wrap(data);
      if (decoded(() => this.#item.read(place.offset)) >= 0) return decoded(() => read(this.#item));
    }
    return this.#readItem(place, read);
  }

  async #readItem<T>(place: ItemPlace, read: (item: PackedItem, sizeBytes: number) => T): Promise<T> {
    const item = new PackedItem();
    let sizeBytes: number;
    try {
      sizeBytes = await readItemAt(item, this.#shared.metadata, place.chunk, place.offset);
    } catch (error) {
      throw this.#metadataFailure(error, place);
    }
    return decoded(() => read(item, sizeBytes));
  }

  #metadataFailure(error: unknown, { chunk }: ItemPlace): VfsError {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof RepositoryOutOfReach))
      this.#tell(`metadata ${chunk}`, `Metadata of the archive can't be read: ${message}`);
    return new VfsError('EIO', message, error);
  }

  #knownDamage(inode: number): VfsError {
    const path = toDisplayText(this.path(inode));
    const message = `${path}: lost contents of this file were replaced by zeros. "check --repair" brings them back if a backup has them again; with "-o allow_damaged_files" it can be read as it is.`;
    this.#shared.reporter.log('warning', message, LOGGER);
    return new VfsError('EIO', message);
  }

  #readFailure(inode: number, error: unknown, chunk: number, id: Uint8Array): VfsError {
    const cause = error instanceof Error ? error.message : String(error);
    const message = `${toDisplayText(this.path(inode))}: chunk ${chunk} (${toHex(id)}): ${cause}`;
    // Of a lost connection there is one line, not one for each read.
    if (!(error instanceof RepositoryOutOfReach)) this.#tell(`${inode} ${chunk}`, message);
    return new VfsError('EIO', message, error);
  }

  #tell(about: string, message: string): void {
    if (this.#told.has(about)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(about);
    this.#shared.reporter.log('error', message, LOGGER);
  }
}

/** A value that is not what it should be is damage to whoever asked for it. */
function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    throw new VfsError('EIO', `item metadata: ${error.message}`, error);
  }
}
