/** What any Vfs must do, whatever it shows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROOT_INODE, type Soon, type Vfs, type VfsEntry, VfsError } from '../../src/mount/vfs.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';

const TYPE_MASK = 0o170000;
const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
const SYMLINK = 0o120000;

/** The tree must hold a directory, two files at least, one of them of three chunks, and a symbolic link. */
export function describeVfs(name: string, open: () => Promise<Vfs>): void {
  describe(name, () => {
    it('has a root that is a directory and its own parent', async () => {
      await using vfs = await open();
      const root = await vfs.attributes(ROOT_INODE);
      assert.equal(root.mode & TYPE_MASK, DIRECTORY);
      assert.equal(root.inode, ROOT_INODE);
      assert.equal(vfs.parent(ROOT_INODE), ROOT_INODE);
      assert.equal(vfs.path(ROOT_INODE).length, 0);
    });

    it('finds each entry by its name, with the type and the inode of the entry', async () => {
      await using vfs = await open();
      for (const { directory, entry } of await walk(vfs)) {
        assert.equal(await vfs.lookup(directory, entry.name), entry.inode);
        const { inode, mode } = await vfs.attributes(entry.inode);
        assert.equal(inode, entry.inode);
        assert.equal(mode & TYPE_MASK, entry.type);
        if (entry.type === DIRECTORY) assert.equal(await vfs.lookup(entry.inode, fromUtf8('..')), directory);
      }
    });

    it('has directories that know their parents and paths', async () => {
      await using vfs = await open();
      for (const { directory, entry, path } of await walk(vfs)) {
        if (entry.type !== DIRECTORY) continue;
        assert.equal(vfs.parent(entry.inode), directory);
        assert.equal(await vfs.lookup(entry.inode, fromUtf8('.')), entry.inode);
        assert.equal(toUtf8Lossy(vfs.path(entry.inode)), path);
      }
    });

    it('goes on behind any entry, and stops when it is told to', async () => {
      await using vfs = await open();
      for (const directory of new Set((await walk(vfs)).map((found) => found.directory))) {
        const all = await list(vfs, directory);
        for (const [index, { cookie }] of all.entries()) {
          const rest = await list(vfs, directory, cookie);
          assert.deepEqual(rest.map(text), all.slice(index + 1).map(text));
          const first: string[] = [];
          await vfs.entries(directory, 0, (entry) => first.push(text(entry)) <= index);
          assert.deepEqual(first, all.slice(0, index + 1).map(text));
        }
        assert.equal(new Set(all.map((entry) => entry.cookie)).size, all.length);
      }
    });

    it('has no name that is not there', async () => {
      await using vfs = await open();
      assert.equal(await vfs.lookup(ROOT_INODE, fromUtf8('no such name')), 0);
      assert.equal(await vfs.lookup(ROOT_INODE, new Uint8Array(0)), 0);
    });

    it('reads any part of a file as it reads the whole', async () => {
      await using vfs = await open();
      for (const { entry } of await walk(vfs)) {
        if (entry.type !== REGULAR) continue;
        const { sizeBytes } = await vfs.attributes(entry.inode);
        const file = await vfs.open(entry.inode);
        assert.equal(file.sizeBytes, sizeBytes);
        const whole = (await file.read(0, sizeBytes + 1)).slice();
        assert.equal(whole.length, sizeBytes);
        for (let from = 0; from <= sizeBytes + 1; from++) {
          for (const length of [0, 1, 2, 5, sizeBytes]) {
            const part = await file.read(from, length);
            assert.deepEqual(Buffer.from(part), Buffer.from(whole.subarray(from, from + length)));
          }
        }
        file.close();
      }
    });

    it('refuses what does not fit the type', async () => {
      await using vfs = await open();
      for (const { entry } of await walk(vfs)) {
        const isDirectory = entry.type === DIRECTORY;
        if (isDirectory) await rejects(() => vfs.open(entry.inode), 'EISDIR');
        else {
          await rejects(() => vfs.entries(entry.inode, 0, () => true), 'ENOTDIR');
          await rejects(() => vfs.lookup(entry.inode, fromUtf8('x')), 'ENOTDIR');
        }
        if (entry.type === SYMLINK) await vfs.readLink(entry.inode);
        else await rejects(() => vfs.readLink(entry.inode), 'EINVAL');
        if (entry.type === REGULAR) {
          const file = await vfs.open(entry.inode);
          await rejects(() => file.read(-1, 1), 'EINVAL');
          await rejects(() => file.read(0, NaN), 'EINVAL');
        }
      }
    });

    it('knows no inode that it has not given', async () => {
      await using vfs = await open();
      for (const inode of [0, -1, 1.5, NaN, 2 ** 31, 2 ** 53]) {
        await rejects(() => vfs.attributes(inode), 'ESTALE');
        await rejects(() => vfs.lookup(inode, fromUtf8('x')), 'ESTALE');
        await rejects(() => vfs.open(inode), 'ESTALE');
        assert.throws(() => vfs.parent(inode), { code: 'ESTALE' });
        assert.throws(() => vfs.path(inode), { code: 'ESTALE' });
      }
    });

    it('gives the same inodes each time that it is opened', async () => {
      await using one = await open();
      await using two = await open();
      assert.deepEqual(await inodesOf(one), await inodesOf(two));
    });

    it('has all that is needed of a tree to be tested', async () => {
      await using vfs = await open();
      const types = (await walk(vfs)).map(({ entry }) => entry.type);
      for (const type of [DIRECTORY, REGULAR, SYMLINK]) assert.ok(types.includes(type));
    });
  });
}

interface Found {
  readonly directory: number;
  readonly entry: VfsEntry;
  readonly path: string;
}

async function walk(vfs: Vfs, directory = ROOT_INODE, above = ''): Promise<Found[]> {
  const found: Found[] = [];
  for (const entry of await list(vfs, directory)) {
    const path = above + text(entry);
    found.push({ directory, entry, path });
    if (entry.type === DIRECTORY) found.push(...(await walk(vfs, entry.inode, `${path}/`)));
  }
  return found;
}

async function inodesOf(vfs: Vfs): Promise<[string, number][]> {
  return (await walk(vfs)).map(({ path, entry }) => [path, entry.inode]);
}

async function list(vfs: Vfs, directory: number, after = 0): Promise<VfsEntry[]> {
  const entries: VfsEntry[] = [];
  await vfs.entries(directory, after, (entry) => entries.push({ ...entry, name: entry.name.slice() }) > 0);
  return entries;
}

function text({ name }: VfsEntry): string {
  return toUtf8Lossy(name);
}

/** An error may be thrown at once, or come with the promise. */
async function rejects(call: () => Soon<unknown>, code: string): Promise<void> {
  await assert.rejects(
    async () => call(),
    (error) => error instanceof VfsError && error.code === code,
  );
}
