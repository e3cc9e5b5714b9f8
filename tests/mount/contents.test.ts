import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { ObjectReader } from '../../src/archive/object-reader.ts';
import { ConnectionClosed } from '../../src/errors.ts';
import { FileChunks } from '../../src/mount/file-chunks.ts';
import { FileContent } from '../../src/mount/file-content.ts';
import { MetadataChunks } from '../../src/mount/metadata-chunks.ts';
import { VfsError } from '../../src/mount/vfs.ts';
import { fromUtf8, toHex, toUtf8Lossy } from '../../src/util/bytes.ts';
import { CraftedRepository, openAt, readAll } from './crafted-vfs.ts';

const KIB = 1024;

interface MadeFile {
  readonly made: CraftedRepository;
  /** Ids of the chunks, in hex. */
  readonly ids: string[];
  readonly contents: Buffer;
}

/** An archive with one file, `dir/f`, of chunks of these sizes. */
async function fileOf(...sizes: number[]): Promise<MadeFile> {
  const made = new CraftedRepository();
  const ids: string[] = [];
  const parts = sizes.map((size, index) => Buffer.alloc(size, String.fromCharCode(65 + index)));
  await made.add('a', async (crafter) => {
    const chunks = [];
    for (const part of parts) chunks.push(await crafter.chunk(part));
    ids.push(...chunks.map(({ id }) => toHex(id)));
    crafter.add({ path: 'dir/f', chunks, size: sizes.reduce((sum, size) => sum + size, 0) });
    await crafter.addFile('other', 'other');
  });
  return { made, ids, contents: Buffer.concat(parts) };
}

/** Lets everything run that waits for nothing outside. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 50; turns++) await setImmediate();
}

describe('reading a file', () => {
  it('gives parts of chunks at hand, which are fetched once', async () => {
    const { made, ids } = await fileOf(200 * KIB, 10);
    await using vfs = await made.openArchive('a');
    const file = await openAt(vfs, 'dir/f');
    const views: Uint8Array[] = [];
    for (const offset of [4096, 200 * KIB - 6]) {
      await file.readParts(offset, 4096, (parts) => views.push(...parts));
    }
    assert.deepEqual(
      views.map(({ length }) => length),
      [4096, 6, 10],
    );
    assert.equal(views[0]!.buffer, views[1]!.buffer);
    assert.deepEqual(
      made.asked.filter((id) => ids.includes(id)),
      ids,
    );
    assert.ok(!(file.readParts(8192, 200 * KIB, () => {}) instanceof Promise));
    assert.ok(!(file.read(8192, 10) instanceof Promise));
  });

  it('fetches a chunk once for all who want it at a time, whatever file it is of', async () => {
    const { made, ids } = await fileOf(1000);
    await using vfs = await made.openArchive('a');
    const files = [await openAt(vfs, 'dir/f'), await openAt(vfs, 'dir/f')];
    const parts = await Promise.all(files.map(async (file) => file.read(0, 1000)));
    assert.deepEqual(parts[0], parts[1]);
    assert.deepEqual(
      made.asked.filter((id) => ids.includes(id)),
      ids,
    );
  });

  it('ends for whoever gives up, and goes on for others', async () => {
    const { made } = await fileOf(1000);
    await using vfs = await made.openArchive('a');
    const file = await openAt(vfs, 'dir/f');
    const gate = Promise.withResolvers<void>();
    made.beforeGet = () => gate.promise;
    const stop = new AbortController();
    const given = Promise.resolve(file.read(0, 10, stop.signal));
    const kept = file.read(0, 10);
    stop.abort(new Error('interrupted'));
    await assert.rejects(given, /interrupted/);
    gate.resolve();
    assert.equal(toUtf8Lossy(await kept), 'AAAAAAAAAA');
  });

  it('has other threads open what is fetched ahead', async () => {
    const sizes = Array.from({ length: 8 }, () => 128 * KIB);
    const { made, contents } = await fileOf(...sizes);
    await using vfs = await made.openArchive('a', { threads: 1 });
    const file = await openAt(vfs, 'dir/f');
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < contents.length; offset += 60 * KIB) {
      parts.push((await file.read(offset, 60 * KIB)).slice());
    }
    assert.ok(Buffer.concat(parts).equals(contents));
  });

  it('gives each of many readers its own bytes, however little memory there is', async () => {
    const sizes = Array.from({ length: 20 }, (_, index) => (index % 5 === 0 ? 3 : 70 * KIB + index));
    const { made, ids, contents } = await fileOf(...sizes);
    const reader = new ObjectReader(made.handle(), made.source().key);
    let end = 0;
    const table = {
      ids: Buffer.from(ids.join(''), 'hex'),
      ends: Float64Array.from(sizes, (size) => (end += size)),
    };
    for (const cacheBytes of [300 * KIB, 100 * KIB, 1]) {
      await using chunks = new FileChunks(reader, { cacheBytes, threads: 2 });
      const one = async (start: number) => {
        const file = new FileContent(chunks, table, (error) => new VfsError('EIO', String(error)));
        for (let at = start; at < end; at += 50 * KIB + start) {
          await file.readParts(at, 160 * KIB, (parts) => {
            assert.ok(Buffer.concat(parts).equals(contents.subarray(at, at + 160 * KIB)));
          });
        }
        const whole = Buffer.from(await file.read(0, end));
        assert.ok(whole.equals(contents));
      };
      await Promise.all([0, 1000, 5000, 90_000, 400_000].map((start) => one(start)));
    }
  });

  it('takes the size of its cache from the environment', async () => {
    const { made } = await fileOf(10);
    for (const wrong of ['many', '-1', '1.5']) {
      made.env['BORG_MOUNT_DATA_CACHE_ENTRIES'] = wrong;
      await assert.rejects(made.openArchive('a'), /BORG_MOUNT_DATA_CACHE_ENTRIES is no number/);
    }
    for (const entries of ['0', '2', '999999']) {
      made.env['BORG_MOUNT_DATA_CACHE_ENTRIES'] = entries;
      await using vfs = await made.openArchive('a');
      assert.equal(await readAll(vfs, 'dir/f'), 'AAAAAAAAAA');
    }
  });
});

describe('fetching ahead', () => {
  const CHUNK = 100 * KIB;

  /** A file of 20 chunks of 100 KiB. */
  async function open(cacheBytes: number) {
    const { made, ids } = await fileOf(...Array.from({ length: 20 }, () => CHUNK));
    await using vfs = await made.openArchive('a');
    assert.equal((await openAt(vfs, 'dir/f')).sizeBytes, 20 * CHUNK);
    const { key } = made.source();
    const reader = new ObjectReader(made.handle(), key);
    const chunks = new FileChunks(reader, { cacheBytes, threads: 0 });
    const table = {
      ids: Buffer.from(ids.join(''), 'hex'),
      ends: Float64Array.from(ids, (_, index) => (index + 1) * CHUNK),
    };
    made.asked.length = 0;
    const file = new FileContent(chunks, table, (error) => new VfsError('EIO', String(error)));
    const asked = async () => {
      await settle();
      return made.asked.map((id) => ids.indexOf(id));
    };
    return { file, asked };
  }

  it('begins when somebody has read on for a while, and goes further each time', async () => {
    const { file, asked } = await open(100 * CHUNK);
    await file.read(0, 128 * KIB);
    assert.deepEqual(await asked(), [0, 1]);
    await file.read(128 * KIB, 128 * KIB);
    assert.deepEqual(await asked(), [0, 1, 2, 3, 4, 5]);
    await file.read(256 * KIB, 128 * KIB);
    assert.deepEqual(await asked(), [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('takes no more than its part of the cache, and never fetches twice', async () => {
    const { file, asked } = await open(8 * CHUNK);
    for (let offset = 0; offset < 20 * CHUNK; offset += 64 * KIB) {
      await file.read(offset, 64 * KIB);
      const reached = Math.floor((offset + 64 * KIB) / CHUNK);
      assert.ok(Math.max(...(await asked())) <= reached + 5);
    }
    assert.deepEqual(
      await asked(),
      Array.from({ length: 20 }, (_, index) => index),
    );
  });

  it('stops for somebody who jumps', async () => {
    const { file, asked } = await open(100 * CHUNK);
    for (const chunk of [3, 18, 7, 0, 12]) await file.read(chunk * CHUNK + 5, 4096);
    // What is no further than a reader's disorder is one who reads on.
    assert.deepEqual(await asked(), [3, 18, 7, 0, 12]);
  });

  it('leaves failures to those who want the chunk', async () => {
    const { made, ids } = await fileOf(200 * KIB, 100 * KIB, 100 * KIB);
    await using vfs = await made.openArchive('a');
    const file = await openAt(vfs, 'dir/f');
    made.objects.delete(ids[2]!);
    await file.read(0, 256 * KIB);
    await settle();
    assert.ok(made.asked.includes(ids[2]!));
    assert.deepEqual(made.logged, []);
    await assert.rejects(async () => file.read(300 * KIB, 1), { code: 'EIO' });
  });
});

describe('a damaged chunk', () => {
  const damages: [string, (made: CraftedRepository, id: string) => void, RegExp][] = [
    ['is lost', (made, id) => void made.objects.delete(id), /not found/],
    ['has another byte', (made, id) => (made.objects.get(id)![20]! ^= 1), /Data integrity error/],
    [
      'is cut short',
      (made, id) => void made.objects.set(id, made.objects.get(id)!.slice(0, 2)),
      /Decompression error/,
    ],
  ];
  for (const [name, damage, cause] of damages) {
    it(`that ${name} gives EIO for its part of the file, and one line that names both`, async () => {
      const { made, ids } = await fileOf(100, 100, 100);
      await using vfs = await made.openArchive('a');
      const whole = made.objects.get(ids[1]!)!.slice();
      damage(made, ids[1]!);
      const file = await openAt(vfs, 'dir/f');
      for (const [offset, length] of [
        [150, 1],
        [0, 300],
        [99, 2],
      ] as const) {
        await assert.rejects(async () => file.read(offset, length), { name: 'VfsError', code: 'EIO' });
      }
      assert.equal((await file.read(0, 100)).length, 100);
      assert.equal((await file.read(200, 200)).length, 100);
      assert.equal(await readAll(vfs, 'other'), 'other');
      assert.equal(made.logged.length, 1);
      assert.ok(made.logged[0]!.startsWith(`error: dir/f: chunk 1 (${ids[1]}): `), made.logged[0]);
      assert.match(made.logged[0]!, cause);
      made.objects.set(ids[1]!, whole);
      assert.equal((await file.read(150, 1)).length, 1);
    });
  }

  it('that is not as long as the item says gives EIO', async () => {
    const made = new CraftedRepository();
    await made.add('a', async (crafter) => {
      const chunk = await crafter.chunk(fromUtf8('12345'));
      crafter.add({ path: 'longer', chunks: [{ ...chunk, size: 6 }], size: 6 });
      crafter.add({ path: 'shorter', chunks: [{ ...chunk, size: 4 }], size: 4 });
    });
    await using vfs = await made.openArchive('a');
    for (const path of ['longer', 'shorter', 'longer']) {
      await assert.rejects(readAll(vfs, path), { code: 'EIO' });
    }
    assert.match(made.logged[0]!, /longer: chunk 0 .*a chunk of 6 bytes has 5/);
  });

  it('that a check replaced by zeros keeps the file from being opened, unless that is allowed', async () => {
    const made = new CraftedRepository();
    await made.add('a', async (crafter) => {
      const zeros = await crafter.chunk(new Uint8Array(3));
      const chunksHealthy = [await crafter.chunk(fromUtf8('abc'))];
      crafter.add({ path: 'd/f', chunks: [zeros], chunksHealthy, size: 3 });
      crafter.add({ path: 'd/g', source: 'd/f' });
    });
    await using vfs = await made.openArchive('a');
    await assert.rejects(openAt(vfs, 'd/f'), { code: 'EIO' });
    assert.match(made.logged[0]!, /^warning: d\/f: lost contents of this file were replaced by zeros/);
    await using allowing = await made.openArchive('a', { allowDamagedFiles: true });
    assert.equal(await readAll(allowing, 'd/f'), '\0\0\0');
    // Of a link whose first name is not shown, too.
    await using link = await made.openArchive('a', { paths: ['d/g'] });
    await assert.rejects(openAt(link, 'd/g'), { code: 'EIO' });
  });
});

describe('a lost connection', () => {
  it('gives EIO until there is one again, one line each, and no line for each file', async () => {
    const { made } = await fileOf(100, 100);
    let isLost = false;
    let opened = 0;
    made.beforeGet = () => {
      if (isLost) throw new ConnectionClosed();
    };
    const reopen = () => {
      opened++;
      return isLost ? Promise.reject(new ConnectionClosed()) : Promise.resolve(made.handle());
    };
    await using vfs = await made.openArchive('a', { reopen });
    const file = await openAt(vfs, 'dir/f');
    await file.read(0, 10);
    isLost = true;
    await assert.rejects(async () => file.read(100, 10), { code: 'EIO' });
    await assert.rejects(async () => file.read(100, 10), { code: 'EIO' });
    assert.equal(opened, 1);
    assert.equal((await file.read(0, 10)).length, 10);
    assert.equal(made.logged.filter((line) => line.startsWith('warning: ')).length, 2);
    assert.equal(
      made.logged.some((line) => line.includes('dir/f')),
      false,
    );
  });

  it('is made again unseen where that works at once', async () => {
    const { made } = await fileOf(100, 100);
    let failures = 1;
    await using vfs = await made.openAll({ reopen: () => Promise.resolve(made.handle()) });
    made.beforeGet = () => {
      if (failures-- > 0) throw new ConnectionClosed();
    };
    const file = await openAt(vfs, 'a/dir/f');
    failures = 1;
    assert.equal((await file.read(100, 10)).length, 10);
  });
});

describe('MetadataChunks', () => {
  it('keeps what it has room for, fetches the rest once, and tries again what failed', async () => {
    const { made, ids } = await fileOf(100, 100, 100);
    const reader = new ObjectReader(made.handle(), made.source().key);
    const metadata = new MetadataChunks(reader, 200);
    assert.equal(metadata.add([]), 0);
    assert.equal(metadata.add(ids.map((id) => Buffer.from(id, 'hex'))), 0);
    assert.equal(metadata.add([Buffer.from(ids[0]!, 'hex')]), 3);
    assert.deepEqual([metadata.streamEnd(0), metadata.streamEnd(2), metadata.streamEnd(3)], [3, 3, 4]);
    let streamed = 0;
    for await (const data of metadata.stream(0, 3)) streamed += data.length;
    assert.equal(streamed, 300);
    assert.deepEqual(
      [0, 1, 2].map((number) => metadata.peek(number)?.length),
      [100, 100, undefined],
    );
    made.asked.length = 0;
    made.beforeGet = () => {
      throw new ConnectionClosed();
    };
    await assert.rejects(metadata.fetch(2), ConnectionClosed);
    made.beforeGet = () => {};
    const both = await Promise.all([metadata.fetch(2), metadata.fetch(2)]);
    assert.equal(both[0], both[1]);
    assert.deepEqual(made.asked, [ids[2], ids[2]]);
    assert.equal(metadata.peek(2), both[0]);
  });
});
