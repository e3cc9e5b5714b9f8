import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Archive } from '../../src/archive/archive.ts';
import { Archive as ArchiveClass } from '../../src/archive/archive.ts';
import { type ArchiveStream, archiveStreams } from '../../src/archive/archives-ahead.ts';
import { ArchiveFormatter } from '../../src/archive/listing/archive-formatter.ts';
import { archiveInfo, archiveInfoJson, formatArchiveInfo } from '../../src/archive/listing/archive-info.ts';
import {
  formatRepositoryStatistics,
  repositoryStatistics,
} from '../../src/archive/listing/archive-statistics.ts';
import { ChunkIndex } from '../../src/archive/cache/chunk-index.ts';
import { ItemFormatter } from '../../src/archive/listing/item-formatter.ts';
import { basicJsonData } from '../../src/archive/listing/repository-info.ts';
import {
  ArchiveDoesNotExist,
  ArchiveTAMInvalid,
  IntegrityError,
  InvalidPlaceholder,
} from '../../src/errors.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';
import { encodeJson } from '../../src/util/json-text.ts';
import { ArchiveCrafter, type Crafted, testContext } from './crafted-archive.ts';

before(() => {
  process.env['TZ'] = 'Europe/Berlin';
});

const ctx = testContext('/');

async function streamOf(source: Crafted['source']): Promise<ArchiveStream> {
  return (await archiveStreams(source, ['crafted']).next()).value!;
}

async function pathsOf(archive: Archive): Promise<string[]> {
  const paths: string[] = [];
  for await (const item of archive.items()) paths.push(toUtf8Lossy(item.path));
  return paths;
}

test('items() gives the items across the ends of chunks, without parts unless asked', async () => {
  const crafter = await ArchiveCrafter.create(ctx);
  for (let i = 0; i < 50; i++) crafter.add({ path: `file${i}` });
  crafter.add({ path: 'whole', part: 1 });
  const { archive, source } = await crafter.finish();
  assert.deepEqual((await pathsOf(archive)).length, 50);
  const all = await ArchiveClass.open(source, 'crafted', { considerPartFiles: true });
  assert.equal((await pathsOf(all)).at(-1), 'whole');
});

const damage: readonly (readonly [string, Uint8Array])[] = [
  ['a type that msgpack has not', Uint8Array.of(0xc1)],
  ['something that is no map', Uint8Array.of(0x93, 1, 2, 3)],
  ['an item without a path', Uint8Array.of(0x80)],
  ['the start of an item', Uint8Array.of(0x82, 0xa4, 0x70)],
  ['a length beyond all limits', Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
];

for (const [what, bytes] of damage) {
  test(`items() refuses ${what}`, async () => {
    const crafter = await ArchiveCrafter.create(ctx);
    const { archive } = await crafter.add({ path: 'a' }).addBytes(bytes).finish();
    await assert.rejects(pathsOf(archive), IntegrityError);
  });
}

test('open() refuses what is not there, and metadata with a wrong tag', async () => {
  const crafter = await ArchiveCrafter.create(ctx);
  const { source } = await crafter.finish();
  await assert.rejects(ArchiveClass.open(source, 'nope'), new ArchiveDoesNotExist(['nope']));
  const forging = await ArchiveCrafter.create(ctx);
  const forged = forging.finish({}, (packed) => {
    const copy = packed.slice();
    const at = Buffer.from(copy.buffer).indexOf('crafted');
    copy.set(fromUtf8('CRAFTED'), at);
    return copy;
  });
  await assert.rejects(forged, ArchiveTAMInvalid);
});

test('open() tells an archive without a tag from one that has it', async () => {
  const crafter = await ArchiveCrafter.create(ctx);
  assert.equal((await crafter.finish()).archive.verified, true);
});

async function sample() {
  const crafter = await ArchiveCrafter.create(ctx);
  const time = { mtimeNs: 1_700_000_000_500_000_000n };
  const chunk = await crafter.chunk(fromUtf8('hello'));
  crafter.add({ path: 'd', mode: 0o040755, uid: 0, gid: 0, user: fromUtf8('root'), group: null, ...time });
  crafter.add({
    path: 'd/f',
    uid: 1,
    gid: 2,
    user: fromUtf8('anne'),
    chunks: [chunk, chunk],
    size: 10,
    ...time,
  });
  crafter.add({ path: 'd/h', uid: 1, gid: 2, user: fromUtf8(''), source: 'd/f', ...time });
  crafter.add({ path: 'd/s', mode: 0o120777, uid: 1, gid: 2, source: 'föö', chunksHealthy: [], ...time });
  const crafted = await crafter.finish({ nfiles: 1, size: 10, csize: chunk.csize * 2 });
  return { ...crafted, chunk };
}

test('formatItem() fills every key', async () => {
  const { archive, chunk } = await sample();
  const formatted = {
    name: archive.name,
    idHex: archive.idHex,
    contents: archive.contents.bind(archive),
    refcount: () => 2,
  };
  const format =
    '{type}|{mode}|{user:6}|{group:>6}|{uid:04d}|{path}{extra}|{linktarget}|{flags}|{size:8}|{num_chunks}|' +
    '{unique_chunks}|{dsize}|{health}|{mtime}|{isomtime}|{ctime:%Y}|{archivename}|{md5}|{xxh64}{NL}';
  const formatter = new ItemFormatter(formatted, format);
  let text = '';
  for await (const item of archive.items()) text += await formatter.formatItem(item);
  const times = 'Tue, 2023-11-14 23:13:20|2023-11-14T23:13:20.500000|2023|crafted';
  assert.deepEqual(text.split('\n'), [
    `d|drwxr-xr-x|root  |     0|0000|d||0|       0|0|0|0|healthy|${times}||`,
    `-|-rw-r--r--|anne  |     2|0001|d/f||0|      10|2|2|10|healthy|${times}|23b431acfeb41e15d466d75de822307c|82d81306dd7bbd20`,
    `-|hrw-r--r--|     1|     2|0001|d/h link to d/f|d/f|0|       0|0|0|0|healthy|${times}||`,
    `l|lrwxrwxrwx|     1|     2|0001|d/s -> föö|föö|0|       3|0|0|0|broken|${times}||`,
    '',
  ]);
  assert.equal(chunk.size, 5);
});

test('formatJson() writes the main properties and what the format names', async () => {
  const { archive } = await sample();
  const formatted = { name: 'n', idHex: 'i', contents: archive.contents.bind(archive) };
  const formatter = new ItemFormatter(formatted, '{size}{archivename}{mtime}');
  const lines: string[] = [];
  for await (const item of archive.items()) lines.push(await formatter.formatJson(item));
  assert.equal(
    lines[3],
    '{"archivename": "n", "type": "l", "mode": "lrwxrwxrwx", "user": 1, "group": 2, "uid": 1, "gid": 2, ' +
      '"path": "d/s", "healthy": false, "source": "f\\u00f6\\u00f6", "linktarget": "f\\u00f6\\u00f6", "flags": 0, ' +
      '"size": 3, "mtime": "2023-11-14T23:13:20.500000"}\n',
  );
});

test('needsCache() and formatItem() know which keys there are', async () => {
  assert.equal(ItemFormatter.needsCache('{path}{dsize}'), true);
  assert.equal(ItemFormatter.needsCache('{path}{{dsize}}'), false);
  const { archive } = await sample();
  const formatter = new ItemFormatter(
    { name: '', idHex: '', contents: archive.contents.bind(archive) },
    '{nope}',
  );
  const { value } = await archive.items().next();
  assert.ok(value);
  assert.throws(() => formatter.formatItem(value), InvalidPlaceholder);
});

test('formatArchive() and toJson() give what the manifest or the archive knows', async () => {
  const { source, archive } = await sample();
  const open = (name: string) => ArchiveClass.open(source, name);
  const selected = { name: 'crafted', id: archive.id, timeNs: archive.startNs };
  const format = '{archive:<10}|{time}|{end}|{comment}|{command_line}|{tam}|{hostname}|{username}{LF}';
  const formatter = new ArchiveFormatter(format, open);
  const text = await formatter.formatArchive(selected);
  const start = 'Thu, 2024-02-29 13:00:00';
  assert.equal(
    text,
    `crafted   |${start}|Thu, 2024-02-29 13:00:01|über|borg create 'a b'|verified|host|anne\n`,
  );
  assert.deepEqual(await new ArchiveFormatter('{end}', open).toJson(selected), {
    archive: 'crafted',
    barchive: 'crafted',
    id: archive.idHex,
    name: 'crafted',
    start: '2024-02-29T13:00:00.000000',
    time: '2024-02-29T13:00:00.000000',
    end: '2024-02-29T13:00:01.000000',
  });
});

test('archiveInfo() counts what only this archive refers to', async () => {
  const { archive, chunk, source } = await sample();
  const chunks = new ChunkIndex();
  chunks.add(chunk.id, 2, chunk.size, chunk.csize);
  chunks.add(archive.id, 1, 100, 20971);
  const info = await archiveInfo(ctx, await streamOf(source), { chunks });
  const { csize } = chunk;
  assert.equal(
    encodeJson(archiveInfoJson(info), { sortKeys: true }),
    '{"chunker_params": "", "command_line": ["borg", "create", "a b"], "comment": "\\u00fcber", "cwd": "", ' +
      '"duration": 1.5, "end": "2024-02-29T13:00:01.000000", "hostname": "host", ' +
      `"id": "${archive.idHex}", "limits": {"max_archive_size": 0.0009999771594554681}, "name": "crafted", ` +
      '"start": "2024-02-29T13:00:00.000000", ' +
      `"stats": {"compressed_size": ${csize * 2}, "deduplicated_size": ${csize}, "nfiles": 1, "original_size": 10}, ` +
      '"username": "anne"}',
  );
  const lines = formatArchiveInfo(info).split('\n');
  assert.equal(lines[7], 'Duration: 1.50 seconds');
  assert.equal(lines[10], "Command line: borg create 'a b'");
  assert.equal(lines[11], 'Utilization of maximum supported archive size: 0%');
  assert.equal(lines.at(-1)!.length, 78);
  const all = await repositoryStatistics(ctx, source, { chunks });
  assert.equal(all.totalSizeBytes, 10);
  assert.equal(
    formatRepositoryStatistics(all).split('\n').at(-1),
    `${'Chunk index:'.padEnd(35)}2                    3`,
  );
});

test('archiveInfo() counts sizes where the archive records none, and remembers them', async () => {
  const crafter = await ArchiveCrafter.create(ctx);
  const chunk = await crafter.chunk(fromUtf8('hello'));
  crafter.add({ path: 'a', chunks: [chunk, chunk] }).add({ path: 'p', part: 1, chunks: [chunk] });
  const { archive, source } = await crafter.finish();
  const chunks = new ChunkIndex();
  chunks.add(chunk.id, 4, chunk.size, chunk.csize);
  const preBorg12Metadata = new Map();
  const { statistics } = await archiveInfo(ctx, await streamOf(source), { chunks, preBorg12Metadata });
  assert.deepEqual(
    [statistics.files, statistics.originalSizeBytes, statistics.deduplicatedSizeBytes],
    [1, 10, 0],
  );
  assert.deepEqual([...preBorg12Metadata.keys()], [archive.idHex]);
});

test('basicJsonData() says when the repository was last changed', async () => {
  const { source } = await sample();
  const repository = { ...source.repository, idHex: 'ab', location: '/r' } as never;
  const data = basicJsonData({ repository, key: source.key, timestamp: '2024-02-29T12:00:00.123456' });
  assert.equal(
    encodeJson(data, { sortKeys: true }),
    '{"encryption": {"mode": "none"}, ' +
      '"repository": {"id": "ab", "last_modified": "2024-02-29T13:00:00.000000", "location": "/r"}}',
  );
});
