/**
 * Makes nodes and names of an archive's items; in the versions view, of one archive after the other.
 *
 * What archives hold that no file system does: of two items with the same path the later one counts. Directories that
 * are only parts of paths are made. Under a name that is a file, what has a path below it is out of reach.
 *
 * Source: Borg 1.4.5, fuse.py, _process_archive, _process_leaf, _process_inner; archiver.py, build_filter.
 */
import type { PatternMatcher } from '../archive/patterns/pattern-matcher.ts';
import type { PackedItem } from '../format/packed-item.ts';
import {
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isRegular,
  isSocket,
  isSymlink,
} from '../platform/file-stat.ts';
import { toBinaryString } from '../util/bytes.ts';
import { toDisplayText } from '../util/surrogate-escape.ts';
import { ItemPath } from './item-path.ts';
import { NONE, type NodeTable, ROOT_NODE } from './node-table.ts';
import { VersionIndex, contentsKey } from './version-index.ts';
import { versionedName } from './versioned-name.ts';

export interface TreeShape {
  /** What is shown. Default: all. */
  readonly matcher?: PatternMatcher | undefined;
  /** Names that are left out at the start of each path. */
  readonly stripComponents?: number | undefined;
  /** Treat parts of files (from checkpoints) as files. */
  readonly considerPartFiles?: boolean | undefined;
}

/** Where an item begins: the number of its metadata chunk, and the place there. */
export interface ItemPlace {
  readonly chunk: number;
  readonly offset: number;
}

/** What other names of the same file need to know of it. */
interface LinkMaster {
  /** Undefined where the item is not shown itself. */
  node: number | undefined;
  readonly place: ItemPlace;
  readonly hasChunks: boolean;
  /** In the versions view. */
  readonly contents: Uint8Array | undefined;
}

/** A directory's path, as a part of some bytes. */
interface PathPart {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly node: number;
}

const NO_BYTES = new Uint8Array(0);
export const DIRECTORY_MODE = 0o040755;
const REGULAR_TYPE = 0o100000;
const PERMISSIONS = 0o7777;

export class TreeBuilder {
  readonly #table: NodeTable;
  readonly #shape: TreeShape;
  readonly #warn: (message: string) => void;
  readonly #versions: VersionIndex | undefined;
  readonly #matcher: PatternMatcher | undefined;
  readonly #stripped: number;
  readonly #path = new ItemPath();
  readonly #source = new ItemPath();
  /** Contents of nodes whose own item has none: those of the first name, which is not shown. */
  readonly contents = new Map<number, ItemPlace>();
  #hasBirthtimes = false;
  /** By the item's path: those that are not shown; in the versions view, by their path there, those that are. */
  readonly #hiddenMasters = new Map<string, LinkMaster>();
  readonly #shownMasters = new Map<string, LinkMaster>();
  /** Where the last path's directory is. */
  #last: PathPart = { bytes: NO_BYTES, from: 0, to: 0, node: ROOT_NODE };

  constructor(table: NodeTable, shape: TreeShape, versions: boolean, warn: (message: string) => void) {
    this.#table = table;
    this.#shape = shape;
    this.#warn = warn;
    this.#versions = versions ? new VersionIndex() : undefined;
    this.#matcher = shape.matcher?.empty === false ? shape.matcher : undefined;
    this.#stripped = shape.stripComponents ?? 0;
    table.setMode(ROOT_NODE, DIRECTORY_MODE);
  }

  /** Whether an item has a time of birth, shown or not. Those of archives from Linux have none. */
  get hasBirthtimes(): boolean {
    return this.#hasBirthtimes;
  }

  /** To be called when an archive ends: hard links do not lead from one to another. */
  endArchive(): void {
    this.#hiddenMasters.clear();
    this.#shownMasters.clear();
    this.#forgetLast();
  }

  /** Throws a MetadataError where the item is not what it should be. */
  add(item: PackedItem, bytes: Uint8Array, chunk: number, offset: number): void {
    if (item.has('part') && this.#shape.considerPartFiles !== true) return;
    this.#hasBirthtimes ||= item.has('birthtime');
    const start = item.startOf('path');
    const end = start + item.lengthOf('path');
    const mode = validMode(item.integer('mode') ?? 0);
    const place = { chunk, offset };
    const fault = this.#path.split(bytes, start, end, this.#stripped);
    const isNamed = fault !== undefined || this.#path.count > 0;
    const isMatched = isNamed && this.#matcher?.match(bytes.subarray(start, end)) !== false;
    if (!isMatched) {
      if (mayBeMaster(item, mode)) {
        const key = toBinaryString(bytes.subarray(start, end));
        this.#hiddenMasters.set(key, this.#master(item, place, undefined));
      }
    } else if (fault !== undefined) {
      this.#warn(`${toDisplayText(bytes.slice(start, end))}: not shown, has ${fault}`);
    } else if (isDirectory(mode)) this.#addDirectory(mode, place);
    else if (item.has('source') && isLinkable(mode)) this.#addHardLink(item, bytes, mode, place);
    else this.#addFile(item, mode, place);
  }

  #addDirectory(mode: number, { chunk, offset }: ItemPlace): void {
    const table = this.#table;
    const parent = this.#directory(this.#path.count - 1);
    const edge = this.#find(parent);
    // It may have been made for what is in it; what has other names stays what it is.
    const isOnlyName = edge !== NONE && table.links(table.target(edge)) === 1;
    const node = isOnlyName ? table.target(edge) : table.addNode();
    table.setItem(node, mode, chunk, offset);
    if (!isOnlyName) this.#link(parent, node, this.#path.bytes, this.#start, this.#end);
  }

  #addFile(item: PackedItem, mode: number, place: ItemPlace): void {
    const node = this.#addNode(item, mode, place);
    const master = this.#versions === undefined ? undefined : this.#master(item, place, node);
    this.#linkLeaf(node, master?.contents);
    if (master !== undefined && mayBeMaster(item, mode)) this.#shownMasters.set(this.#path.key(), master);
  }

  #addHardLink(item: PackedItem, bytes: Uint8Array, mode: number, place: ItemPlace): void {
    const start = item.startOf('source');
    const end = start + item.lengthOf('source');
    const hidden = this.#hiddenMasters.get(toBinaryString(bytes.subarray(start, end)));
    const known = hidden ?? this.#findMaster(bytes, start, end);
    if (known === undefined) {
      const path = item.raw('path') ?? NO_BYTES;
      const source = bytes.subarray(start, end);
      this.#warn(`Skipping broken hard link: ${toDisplayText(path)} -> ${toDisplayText(source)}`);
      return;
    }
    if (known.node === undefined) {
      // What is the first name here gets what belongs to all of them.
      known.node = this.#addNode(item, mode, place);
      if (known.hasChunks) this.contents.set(known.node, known.place);
      this.#linkLeaf(known.node, known.contents);
    } else {
      const before = this.#table.links(known.node);
      if (this.#linkLeaf(known.node, known.contents)) this.#table.setLinks(known.node, before + 1);
    }
  }

  /** The file that a hard link's source leads to, if it is shown. */
  #findMaster(bytes: Uint8Array, start: number, end: number): LinkMaster | undefined {
    const table = this.#table;
    const source = this.#source;
    if (source.split(bytes, start, end, this.#stripped) !== undefined || source.count === 0) return undefined;
    if (this.#versions !== undefined) return this.#shownMasters.get(source.key());
    let node = ROOT_NODE;
    for (let index = 0; index < source.count; index++) {
      const edge = table.find(node, bytes, source.starts[index], source.ends[index]);
      if (edge === NONE) return undefined;
      node = table.target(edge);
    }
    if (isDirectory(table.mode(node))) return undefined;
    return { node, place: { chunk: NONE, offset: 0 }, hasChunks: false, contents: undefined };
  }

  #master(item: PackedItem, place: ItemPlace, node: number | undefined): LinkMaster {
    const chunks = this.#versions === undefined ? undefined : item.chunks();
    const contents = chunks && contentsKey(chunks.ids);
    return { node, place, hasChunks: item.has('chunks'), contents };
  }

  #addNode(item: PackedItem, mode: number, { chunk, offset }: ItemPlace): number {
    const node = this.#table.addNode();
    this.#table.setItem(node, mode, chunk, offset);
    if (item.has('nlink')) this.#table.setLinks(node, item.integer('nlink')!);
    return node;
  }

  /** Gives the node the path's name; in the versions view in a directory of that name. Whether that is news. */
  #linkLeaf(node: number, contents: Uint8Array | undefined): boolean {
    const { bytes } = this.#path;
    if (this.#versions === undefined) {
      const parent = this.#directory(this.#path.count - 1);
      return this.#link(parent, node, bytes, this.#start, this.#end);
    }
    const parent = this.#directory(this.#path.count);
    const name = this.#path.leaf();
    if (contents === undefined) return this.#link(parent, node, name, 0, name.length);
    const versioned = versionedName(name, this.#versions.next(parent, contents));
    return this.#link(parent, node, versioned, 0, versioned.length);
  }

  #link(parent: number, node: number, bytes: Uint8Array, from: number, to: number): boolean {
    const known = this.#table.find(parent, bytes, from, to);
    if (known !== NONE) {
      if (this.#table.target(known) === node) return false;
      this.#forgetLast();
    }
    this.#table.link(parent, node, bytes, from, to);
    return true;
  }

  /** The directory of the path's first `count` names, made as far as it is not there. */
  #directory(count: number): number {
    if (count === 0) return ROOT_NODE;
    const { bytes, starts, ends } = this.#path;
    const from = starts[0]!;
    const to = ends[count - 1]!;
    if (this.#isLast(bytes, from, to)) return this.#last.node;
    const table = this.#table;
    let node = ROOT_NODE;
    for (let index = 0; index < count; index++) {
      const edge = table.find(node, bytes, starts[index], ends[index]);
      if (edge !== NONE) node = table.target(edge);
      else {
        const made = table.addNode();
        table.setMode(made, DIRECTORY_MODE);
        table.link(node, made, bytes, starts[index], ends[index]);
        node = made;
      }
    }
    this.#last = { bytes, from, to, node };
    return node;
  }

  #isLast(bytes: Uint8Array, from: number, to: number): boolean {
    const last = this.#last;
    if (last.to - last.from !== to - from) return false;
    // Neighbours differ at the end, if anywhere.
    for (let i = to - 1, at = last.to - 1; i >= from; i--, at--)
      if (bytes[i] !== last.bytes[at]) return false;
    return true;
  }

  #forgetLast(): void {
    this.#last = { bytes: NO_BYTES, from: 0, to: 0, node: ROOT_NODE };
  }

  /** The edge of the path's last name. */
  #find(parent: number): number {
    return this.#table.find(parent, this.#path.bytes, this.#start, this.#end);
  }

  get #start(): number {
    return this.#path.starts[this.#path.count - 1]!;
  }

  get #end(): number {
    return this.#path.ends[this.#path.count - 1]!;
  }
}

/** Whether other items may name it as their source. See archive/hard-links.ts. */
function mayBeMaster(item: PackedItem, mode: number): boolean {
  return isLinkable(mode) && !item.has('source') && item.boolean('hardlink_master') !== false;
}

function isLinkable(mode: number): boolean {
  return isRegular(mode) || isBlockDevice(mode) || isCharacterDevice(mode) || isFifo(mode);
}

/** What is of no type that there is, is shown as a file. */
function validMode(mode: number): number {
  const isKnown = isDirectory(mode) || isSymlink(mode) || isLinkable(mode) || isSocket(mode);
  return isKnown ? mode & 0xffff : (mode & PERMISSIONS) | REGULAR_TYPE;
}
