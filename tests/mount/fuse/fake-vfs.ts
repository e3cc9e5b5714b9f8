/** A small tree in memory, whose reads can be held up. */
import {
  type Soon,
  type Vfs,
  type VfsAttributes,
  type VfsEntry,
  VfsError,
  type VfsFile,
} from '../../../src/mount/vfs.ts';

export const DATA = Buffer.from('what is in the file');
export const MTIME_NS = -1_500_000_001n;
export const INODE = { root: 1, file: 2 ** 40 + 2, link: 3, sub: 4, odd: 5 } as const;

const ENTRIES: readonly [name: string, inode: number, mode: number][] = [
  ['file', INODE.file, 0o100644],
  ['link', INODE.link, 0o120777],
  ['sub', INODE.sub, 0o040755],
  ['n\xff', INODE.odd, 0o100644],
];

export class FakeVfs implements Vfs {
  birthtimeNs = MTIME_NS;
  hasBirthtimes = true;
  failure: Error | undefined;
  openFiles = 0;
  #held: (() => void)[] | undefined;

  /** From now on reads wait for finish(). */
  hold(): void {
    this.#held = [];
  }

  async finish(index: number): Promise<void> {
    this.#held!.splice(index, 1)[0]!();
    await this.settled();
  }

  /** After all that does not wait for anybody. */
  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  lookup(directory: number, name: Uint8Array): number {
    this.#modeOf(directory, 0o040000);
    const text = Buffer.from(name).toString('latin1');
    return directory === 1 ? (ENTRIES.find(([each]) => each === text)?.[1] ?? 0) : 0;
  }

  parent(): number {
    return 1;
  }

  attributes(inode: number): VfsAttributes {
    const mode = this.#modeOf(inode);
    return {
      inode,
      mode,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0x801,
      sizeBytes: DATA.length,
      atimeNs: MTIME_NS,
      mtimeNs: MTIME_NS,
      ctimeNs: MTIME_NS,
      birthtimeNs: this.birthtimeNs,
    };
  }

  entries(directory: number, after: number, visit: (entry: VfsEntry) => boolean): void {
    this.#modeOf(directory, 0o040000);
    if (directory !== 1) return;
    for (const [index, [name, inode, mode]] of ENTRIES.entries()) {
      if (index < after) continue;
      const entry = { name: Buffer.from(name, 'latin1'), inode, type: mode & 0o170000, cookie: index + 1 };
      if (!visit(entry)) return;
    }
  }

  readLink(inode: number): Uint8Array {
    if (inode !== INODE.link) throw new VfsError('EINVAL', 'no link');
    return Buffer.from('file');
  }

  xattrs(inode: number): ReadonlyMap<string, Uint8Array> {
    this.#modeOf(inode);
    return new Map([
      ['user.x', Buffer.from('value')],
      ['user.\xfe', Buffer.alloc(0)],
    ]);
  }

  open(inode: number): VfsFile {
    this.#modeOf(inode, 0o100000);
    this.openFiles++;
    return {
      sizeBytes: DATA.length,
      read: (...args) => this.#read(...args),
      readParts: (offset, length, take, signal) => {
        const bytes = this.#read(offset, length, signal);
        return bytes instanceof Promise ? bytes.then((part) => take([part])) : take([bytes]);
      },
      close: () => void this.openFiles--,
    };
  }

  statistics() {
    return { blockSizeBytes: 512, blocks: 0, files: 0, maxNameBytes: 255 };
  }

  path(): Uint8Array {
    return new Uint8Array(0);
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #read(offset: number, length: number, signal?: AbortSignal): Soon<Uint8Array> {
    const bytes = DATA.subarray(offset, offset + length);
    if (this.#held === undefined) return bytes;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
    this.#held.push(() => resolve(bytes));
    return promise;
  }

  #modeOf(inode: number, type?: number): number {
    if (this.failure !== undefined) throw this.failure;
    const mode = inode === 1 ? 0o040755 : ENTRIES.find(([, each]) => each === inode)?.[2];
    if (mode === undefined) throw new VfsError('ESTALE', `no inode ${inode}`);
    if (type !== undefined && (mode & 0o170000) !== type) {
      throw new VfsError(type === 0o040000 ? 'ENOTDIR' : 'EISDIR', 'of another type');
    }
    return mode;
  }
}
