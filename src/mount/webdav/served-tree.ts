/**
 * The tree that is served: how a path finds its node, through symbolic links as far as they stay inside of an archive.
 *
 * Neither HTTP nor WebDAV knows symbolic links. One that leads to a file is served as that file; one that leads to a
 * directory is answered by the way to it, and is not shown to clients that walk through directories, since they could
 * walk in circles. Links that lead out of their archive, or nowhere, are named and not followed.
 */
import { isDirectory, isRegular, isSymlink } from '../../platform/file-stat.ts';
import { fromBinaryString, toBinaryString } from '../../util/bytes.ts';
import { ROOT_INODE, type Vfs, type VfsAttributes, type VfsEntry } from '../vfs.ts';

/** As many as Linux follows. */
const MAX_LINKS = 40;

export interface ServedArchive {
  readonly name: string;
  readonly idHex: string;
}

export interface ServedTreeOptions {
  readonly vfs: Vfs;
  /** What the root is called. */
  readonly title: string;
  /** The archive that is served, or what finds one by the name of its directory. */
  readonly archive: ServedArchive | ((name: Uint8Array) => ServedArchive | undefined);
  /** Leading parts that paths of archives have lost here. */
  readonly stripComponents: number;
}

/** What a path leads to. */
export interface Found {
  readonly inode: number;
  /** Where it really is: without symbolic links. */
  readonly path: readonly Uint8Array[];
  readonly attributes: VfsAttributes;
}

/** A symbolic link that can't be followed. */
export interface LostLink {
  readonly link: readonly Uint8Array[];
  readonly target: Uint8Array;
}

/** The archive of a path, and where in it the path leads. */
export interface ArchivePlace {
  readonly archive: ServedArchive;
  readonly path: readonly Uint8Array[];
}

export class ServedTree {
  readonly vfs: Vfs;
  readonly title: string;
  readonly stripComponents: number;
  readonly #archive: ServedTreeOptions['archive'];

  constructor({ vfs, title, archive, stripComponents }: ServedTreeOptions) {
    this.vfs = vfs;
    this.title = title;
    this.stripComponents = stripComponents;
    this.#archive = archive;
  }

  /** Undefined for what belongs to no archive: the root of a repository. */
  placeOf(path: readonly Uint8Array[]): ArchivePlace | undefined {
    if (typeof this.#archive !== 'function') return { archive: this.#archive, path };
    const [name, ...rest] = path;
    const archive = name && this.#archive(name);
    return archive && { archive, path: rest };
  }

  /** Undefined where there is nothing. @throws VfsError */
  async find(path: readonly Uint8Array[]): Promise<Found | LostLink | undefined> {
    return await new Walk(this.vfs, this.#depth, this.stripComponents).go(path);
  }

  /** What an entry of a directory is, if it is a symbolic link: what that leads to. @throws VfsError */
  async follow(directory: Found, entry: VfsEntry): Promise<Found | LostLink> {
    const path = [...directory.path, entry.name];
    const attributes = await this.vfs.attributes(entry.inode);
    if (!isSymlink(attributes.mode)) return { inode: entry.inode, path, attributes };
    return (await this.find(path)) ?? { link: path, target: await this.vfs.readLink(entry.inode) };
  }

  /** How many names of a path lead to the root of an archive. */
  get #depth(): number {
    return typeof this.#archive === 'function' ? 1 : 0;
  }
}

interface Step {
  readonly name: Uint8Array;
  readonly inode: number;
}

class Walk {
  readonly #vfs: Vfs;
  readonly #archiveDepth: number;
  readonly #stripComponents: number;
  /** Those that were followed, and how many names were left behind each. */
  readonly #links: { readonly lost: LostLink; readonly namesLeft: number }[] = [];

  constructor(vfs: Vfs, archiveDepth: number, stripComponents: number) {
    this.#vfs = vfs;
    this.#archiveDepth = archiveDepth;
    this.#stripComponents = stripComponents;
  }

  async go(path: readonly Uint8Array[]): Promise<Found | LostLink | undefined> {
    const vfs = this.#vfs;
    let steps: Step[] = [];
    const ahead = [...path];
    const inodeHere = () => steps.at(-1)?.inode ?? ROOT_INODE;
    const names = () => steps.map((step) => step.name);
    /** A name that was not found may be the request's own, or a link's. */
    const notFound = () => this.#links.findLast(({ namesLeft }) => namesLeft <= ahead.length)?.lost;
    for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
      const directory = await vfs.attributes(inodeHere());
      if (!isDirectory(directory.mode)) return notFound();
      const text = toBinaryString(name);
      if (text === '..') {
        // Only links have it: above an archive there is nothing that they could mean.
        if (steps.length <= this.#archiveDepth) return notFound();
        steps.pop();
        continue;
      }
      const inode = await vfs.lookup(inodeHere(), name);
      if (inode === 0) return notFound();
      if (!isSymlink((await vfs.attributes(inode)).mode)) {
        steps.push({ name, inode });
        continue;
      }
      const target = await vfs.readLink(inode);
      const lost = { link: [...names(), name], target };
      const way = this.#partsOf(target);
      if (this.#links.length === MAX_LINKS || way === undefined) return lost;
      this.#links.push({ lost, namesLeft: ahead.length });
      if (target[0] === SLASH) steps = steps.slice(0, this.#archiveDepth);
      ahead.unshift(...way);
    }
    return { inode: inodeHere(), path: names(), attributes: await vfs.attributes(inodeHere()) };
  }

  /** Undefined where the link can't lead to anything. */
  #partsOf(target: Uint8Array): Uint8Array[] | undefined {
    const text = toBinaryString(target);
    if (text === '') return undefined;
    const parts = text.split('/').filter((part) => part !== '' && part !== '.');
    if (!text.startsWith('/')) return parts.map(fromBinaryString);
    // Paths in an archive begin below the root of the machine that was backed up.
    if (parts.includes('..') || parts.length < this.#stripComponents) return undefined;
    return parts.slice(this.#stripComponents).map(fromBinaryString);
  }
}

const SLASH = 0x2f;

export function isLostLink(found: Found | LostLink): found is LostLink {
  return 'link' in found;
}

/** Whether its contents can be asked for. */
export function isServed(mode: number): boolean {
  return isRegular(mode) || isDirectory(mode);
}
