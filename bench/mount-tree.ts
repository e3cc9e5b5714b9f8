/**
 * Time and memory that an archive takes as a tree of files: `node --expose-gc bench/mount-tree.ts [files]`.
 *
 * Makes a repository (repokey, lz4) with one archive of so many files (default 120,000), one in ten of them with
 * extended attributes, and prints how long the tree takes to be ready, what it takes for each file, and how long a walk
 * over all entries and attributes takes. Results: docs/decisions/mount.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArchiveWriter } from '../src/archive/create/archive-writer.ts';
import { initRepository } from '../src/archive/init-repository.ts';
import { openSession } from '../src/archive/session.ts';
import type { Item } from '../src/format/item.ts';
import { Location } from '../src/format/location.ts';
import { openVfs } from '../src/mount/open-vfs.ts';
import { ROOT_INODE, type Vfs } from '../src/mount/vfs.ts';
import { createContext } from '../src/platform/default-context.ts';
import { fromUtf8 } from '../src/util/bytes.ts';

const FILES_IN_DIRECTORY = 25;
const DIRECTORY_TYPE = 0o040000;

const files = Number(process.argv[2] ?? 120_000);
const folder = mkdtempSync(join(tmpdir(), 'alcove-mount-tree-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const ctx = createContext({
    env: {
      BORG_BASE_DIR: folder,
      BORG_PASSPHRASE: 'bench',
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    },
    cwd: folder,
  });
  const location = Location.parse(join(folder, 'repository'));
  await (await initRepository(ctx, location, { encryption: 'repokey' })).close();
  let nameBytes = 0;
  {
    await using session = await openSession(ctx, location, {
      operations: ['read', 'write'],
      exclusive: true,
    });
    await using cache = await session.openCache();
    const writer = new ArchiveWriter(ctx, session, cache, {
      name: 'tree',
      chunkerParams: ['buzhash', 19, 23, 21, 4095],
      cmdline: ['bench'],
      hostname: 'bench',
      username: 'bench',
      cwd: '/',
    });
    for (const item of items()) {
      nameBytes += item.path.length - item.path.lastIndexOf(0x2f) - 1;
      writer.addItem(item);
      if (writer.flushDue) await writer.flush();
    }
    await writer.save();
  }
  const before = settled();
  const session = await openSession(ctx, location, { operations: ['read'] });
  const start = performance.now();
  await using vfs = await openVfs(session, { show: { archive: 'tree' } });
  const readyMs = performance.now() - start;
  const rssAtReady = process.memoryUsage().rss;
  const after = settled();
  const perFile = (bytes: number) => `${(bytes / files).toFixed(1)} B a file`;
  console.log(`${files} files, names of ${perFile(nameBytes)}`);
  console.log(`ready:          ${readyMs.toFixed(0)} ms`);
  console.log(`rss at ready:   ${perFile(rssAtReady - before.rss)} more than before`);
  console.log(`heap:           ${perFile(after.heapUsed - before.heapUsed)}`);
  console.log(
    `arrayBuffers:   ${perFile(after.arrayBuffers - before.arrayBuffers)}, cache of metadata and names included`,
  );
  for (const which of ['first', 'second']) {
    const walkStart = performance.now();
    const count = await walk(vfs);
    const walkMs = performance.now() - walkStart;
    console.log(
      `${which} walk:`.padEnd(16) +
        `${walkMs.toFixed(0)} ms, ${((1000 * walkMs) / count).toFixed(2)} µs an entry`,
    );
  }
}

function* items(): Generator<Item> {
  const common = { uid: 1000, gid: 1000, user: fromUtf8('root'), group: fromUtf8('root') };
  const id = new Uint8Array(32);
  for (let number = 0; number < files; number++) {
    const times = BigInt(number) * 1_000_000_007n + 1_700_000_000_000_000_000n;
    const directory = Math.floor(number / FILES_IN_DIRECTORY);
    const parent = `home/user/projects/part-${Math.floor(directory / 120)}/module-${directory}`;
    const ns = { atimeNs: times, ctimeNs: times, mtimeNs: times };
    if (number % FILES_IN_DIRECTORY === 0) {
      yield { path: fromUtf8(parent), mode: 0o040755, ...common, ...ns };
    }
    new DataView(id.buffer).setUint32(0, number);
    const item: Item = {
      path: fromUtf8(`${parent}/a file of the tree ${number}.dat`),
      mode: 0o100644,
      ...common,
      ...ns,
      chunks: [{ id: id.slice(), size: 5000 + (number % 1000), csize: 3000 }],
      size: 5000 + (number % 1000),
    };
    if (number % 10 === 0) item.xattrs = new Map([['user.origin', fromUtf8('https://example.org/')]]);
    yield item;
  }
}

/** As `find -ls` does it. */
async function walk(vfs: Vfs): Promise<number> {
  let count = 0;
  const directories = [ROOT_INODE];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const inodes: number[] = [];
    const done = vfs.entries(directory, 0, ({ inode, type }) => {
      inodes.push(inode);
      if (type === DIRECTORY_TYPE) directories.push(inode);
      return true;
    });
    if (done instanceof Promise) await done;
    for (const inode of inodes) {
      const attributes = vfs.attributes(inode);
      if (attributes instanceof Promise) await attributes;
      count++;
    }
  }
  return count;
}

function settled(): NodeJS.MemoryUsage {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage();
}
