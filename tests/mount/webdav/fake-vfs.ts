/** A tree that is made of a description, to be served. */
import { ROOT_INODE, VfsError, type Vfs, type VfsAttributes, type VfsFile } from '../../../src/mount/vfs.ts';
import { fromBinaryString, fromUtf8, toBinaryString } from '../../../src/util/bytes.ts';

/** A file's contents, a directory, or something else. */
export type FakeNode =
  | string
  | Uint8Array
  | { readonly [name: string]: FakeNode }
  | {
      readonly [FAKE]: 'link' | 'fifo' | 'damaged' | 'large';
      readonly target?: string;
      readonly sizeBytes?: number;
    };

const FAKE = Symbol('fake');

export const link = (target: string): FakeNode => ({ [FAKE]: 'link', target });
export const fifo: FakeNode = { [FAKE]: 'fifo' };
/** Its first mebibyte can be read. */
export const damaged: FakeNode = { [FAKE]: 'damaged', sizeBytes: 3 * 2 ** 20 };
/** Zeros. */
export const large = (sizeBytes: number): FakeNode => ({ [FAKE]: 'large', sizeBytes });

export const MTIME_NS = 1_600_000_000_500_000_000n;
const DAMAGED_FROM = 2 ** 20;

interface Node {
  readonly parent: number;
  readonly name: Uint8Array;
  readonly mode: number;
  readonly contents: Uint8Array;
  readonly fake: { readonly kind: string; readonly sizeBytes: number } | undefined;
  readonly children: number[];
}

export class FakeVfs implements Vfs {
  readonly hasBirthtimes = false;
  readonly #nodes: Node[] = [];
  /** How many bytes were asked for, and how many files are open. */
  readBytes = 0;
  openFiles = 0;
  /** Thrown by every call that looks into a directory. */
  failure: VfsError | undefined;

  /** Names are binary strings. */
  constructor(root: { readonly [name: string]: FakeNode }) {
    this.#add(ROOT_INODE, '', root);
  }

  lookup(directory: number, name: Uint8Array): number {
    if (this.failure) throw this.failure;
    const wanted = toBinaryString(name);
    return (
      this.#node(directory).children.find((inode) => toBinaryString(this.#node(inode).name) === wanted) ?? 0
    );
  }

  parent(inode: number): number {
    return this.#node(inode).parent;
  }

  attributes(inode: number): Promise<VfsAttributes> {
    const { mode, contents, fake } = this.#node(inode);
    const times = { atimeNs: MTIME_NS, mtimeNs: MTIME_NS, ctimeNs: MTIME_NS, birthtimeNs: MTIME_NS };
    const sizeBytes = fake?.sizeBytes ?? contents.length;
    return Promise.resolve({ inode, mode, nlink: 1, uid: 0, gid: 0, rdev: 0, sizeBytes, ...times });
  }

  entries(directory: number, after: number, visit: Parameters<Vfs['entries']>[2]): void {
    if (this.failure) throw this.failure;
    const { children } = this.#node(directory);
    for (let at = after; at < children.length; at++) {
      const inode = children[at]!;
      const { name, mode } = this.#node(inode);
      if (!visit({ name, inode, type: mode & 0o170000, cookie: at + 1 })) return;
    }
  }

  readLink(inode: number): Uint8Array {
    return this.#node(inode).contents;
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return new Map();
  }

  open(inode: number): VfsFile {
    const { contents, fake } = this.#node(inode);
    const sizeBytes = fake?.sizeBytes ?? contents.length;
    this.openFiles += 1;
    return {
      sizeBytes,
      read: async (offset, length, signal) => {
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        const end = Math.min(offset + length, sizeBytes);
        if (fake?.kind === 'damaged' && end > DAMAGED_FROM) throw new VfsError('EIO', 'a chunk is damaged');
        this.readBytes += end - offset;
        return fake === undefined ? contents.subarray(offset, end) : new Uint8Array(end - offset);
      },
      readParts: () => {
        throw new Error('nobody asks for parts here');
      },
      close: () => {
        this.openFiles -= 1;
      },
    };
  }

  statistics() {
    return { blockSizeBytes: 512, blocks: 10, files: this.#nodes.length, maxNameBytes: 255 };
  }

  path(inode: number): Uint8Array {
    return this.#node(inode).name;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #node(inode: number): Node {
    return this.#nodes[inode - 1]!;
  }

  #add(parent: number, name: string, node: FakeNode): number {
    const inode = this.#nodes.length + ROOT_INODE;
    const add = (mode: number, contents: Uint8Array, fake?: Node['fake']): void => {
      this.#nodes.push({ parent, name: fromBinaryString(name), mode, contents, fake, children: [] });
    };
    if (typeof node === 'string') add(0o100644, fromUtf8(node));
    else if (node instanceof Uint8Array) add(0o100755, node);
    else if (FAKE in node) {
      const kind = node[FAKE] as string;
      const { target = '', sizeBytes = 0 } = node as { target?: string; sizeBytes?: number };
      if (kind === 'link') add(0o120777, fromBinaryString(target));
      else add(kind === 'fifo' ? 0o010644 : 0o100644, new Uint8Array(0), { kind, sizeBytes });
    } else {
      add(0o040755, new Uint8Array(0));
      for (const [child, value] of Object.entries(node)) {
        this.#node(inode).children.push(this.#add(inode, child, value));
      }
    }
    return inode;
  }
}

/** All that a reply's body writes. */
export async function bodyOf(
  body: Uint8Array | ((write: (data: Uint8Array) => Promise<void>) => Promise<void>) | undefined,
): Promise<Buffer> {
  if (body === undefined || body instanceof Uint8Array) return Buffer.from(body ?? []);
  const parts: Buffer[] = [];
  await body((data) => {
    parts.push(Buffer.from(data));
    return Promise.resolve();
  });
  return Buffer.concat(parts);
}
