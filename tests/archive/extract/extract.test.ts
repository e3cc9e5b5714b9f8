import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Archive } from '../../../src/archive/archive.ts';
import { extractArchive, type ExtractOptions } from '../../../src/archive/extract/extract.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { IntegrityError, ObjectNotFound } from '../../../src/errors.ts';
import type { Context } from '../../../src/util/context.ts';
import type { SilentReporter } from '../../../src/util/reporter.ts';
import { fromUtf8, toHex } from '../../../src/util/bytes.ts';
import { ArchiveCrafter, testContext } from '../crafted-archive.ts';

const DIRECTORY = 0o040755;
const SYMLINK = 0o120777;
const FIFO = 0o010644;

let root: string;
let inside: string;
let ctx: Context & { reporter: SilentReporter };
let crafter: ArchiveCrafter;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'alcove-extract-'));
  inside = join(root, 'inside');
  mkdirSync(inside);
  writeFileSync(join(root, 'secret'), 'secret');
  mkdirSync(join(root, 'outside'));
  ctx = testContext(inside);
  crafter = await ArchiveCrafter.create(ctx);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

type Options = Partial<ExtractOptions> & { paths?: string[] };

async function extract(archive: Archive, { paths = [], ...options }: Options = {}): Promise<number[]> {
  await extractArchive(ctx, archive, { matcher: PatternMatcher.build([], paths), ...options });
  return ctx.reporter.warnings.map((warning) => warning.exitCode);
}

function read(path: string): string {
  return readFileSync(join(inside, path), 'utf8');
}

test('extractArchive() makes files, folders, symlinks, fifos and hard links', async () => {
  crafter.add({ path: 'd', mode: 0o040500, mtimeNs: 1_000_000_000_123_456_789n });
  await crafter.addFile('d/f', 'one ', 'two');
  crafter.add({ path: 'd/again', source: 'd/f' });
  crafter.add({ path: 'd/link', mode: SYMLINK, source: '../nowhere', mtimeNs: 5_000_000_000n });
  crafter.add({ path: 'fifo', mode: FIFO });
  crafter.add({
    path: 'empty',
    mode: 0o100600,
    chunks: [],
    size: 0,
    atimeNs: 7n,
    mtimeNs: 2n ** 31n * 10n ** 9n + 1n,
  });
  const { archive } = await crafter.finish();
  assert.deepEqual(await extract(archive), []);
  assert.equal(read('d/f'), 'one two');
  const folder = lstatSync(join(inside, 'd'), { bigint: true });
  assert.equal(folder.mode, 0o040500n);
  assert.equal(folder.mtimeNs, 1_000_000_000_123_456_789n);
  assert.equal(lstatSync(join(inside, 'd/again')).ino, lstatSync(join(inside, 'd/f')).ino);
  assert.equal(readlinkSync(join(inside, 'd/link')), '../nowhere');
  assert.equal(lstatSync(join(inside, 'd/link'), { bigint: true }).mtimeNs, 5_000_000_000n);
  assert.equal(lstatSync(join(inside, 'fifo')).isFIFO(), true);
  assert.equal(lstatSync(join(inside, 'empty'), { bigint: true }).mtimeNs, 2n ** 31n * 10n ** 9n + 1n);
});

test('extractArchive() replaces what is there, and keeps folders that are not empty', async () => {
  mkdirSync(join(inside, 'd'));
  writeFileSync(join(inside, 'd/kept'), 'kept');
  writeFileSync(join(inside, 'd/f'), 'old, and longer');
  symlinkSync(join(root, 'secret'), join(inside, 'd/s'));
  mkdirSync(join(inside, 'wasfolder'));
  crafter.add({ path: 'd', mode: DIRECTORY });
  await crafter.addFile('d/f', 'new');
  await crafter.addFile('d/s', 'file');
  await crafter.addFile('wasfolder', 'file');
  const { archive } = await crafter.finish();
  assert.deepEqual(await extract(archive), []);
  assert.deepEqual(
    [read('d/kept'), read('d/f'), read('d/s'), read('wasfolder')],
    ['kept', 'new', 'file', 'file'],
  );
  assert.equal(readFileSync(join(root, 'secret'), 'utf8'), 'secret');
});

test('extractArchive() takes the chunks of a first name that is not selected', async () => {
  await crafter.addFile('a/first', 'shared');
  crafter.add({ path: 'b/second', source: 'a/first' });
  await crafter.addFile('b/between', 'other');
  crafter.add({ path: 'b/third', source: 'a/first' });
  const { archive } = await crafter.finish();
  assert.deepEqual(await extract(archive, { paths: ['b'] }), []);
  assert.deepEqual(readdirSync(inside), ['b']);
  assert.deepEqual([read('b/second'), read('b/between'), read('b/third')], ['shared', 'other', 'shared']);
  assert.equal(lstatSync(join(inside, 'b/second')).ino, lstatSync(join(inside, 'b/third')).ino);
});

test('extractArchive() strips leading components, of hard links too', async () => {
  crafter.add({ path: 'a', mode: DIRECTORY });
  await crafter.addFile('a/b/first', 'shared');
  crafter.add({ path: 'a/b/second', source: 'a/b/first' });
  const { archive } = await crafter.finish();
  assert.deepEqual(await extract(archive, { stripComponents: 2 }), []);
  assert.deepEqual(readdirSync(inside), ['first', 'second']);
  assert.equal(lstatSync(join(inside, 'first')).nlink, 2);
});

test('extractArchive() says which paths of the command line never matched', async () => {
  await crafter.addFile('a', 'x');
  const { archive } = await crafter.finish();
  assert.deepEqual(await extract(archive, { paths: ['a', 'nope'] }), [101]);
  assert.equal(ctx.reporter.warnings[0]!.message, "Include pattern 'nope' never matched.");
});

test('extractArchive() makes nothing on a dry run, nor for a stream', async () => {
  crafter.add({ path: 'd', mode: DIRECTORY });
  await crafter.addFile('d/a', 'one');
  await crafter.addFile('d/b', 'two');
  const { archive } = await crafter.finish();
  const parts: Uint8Array[] = [];
  await extract(archive, { dryRun: true });
  await extract(archive, { toStream: (data) => void parts.push(data) });
  assert.equal(Buffer.concat(parts).toString(), 'onetwo');
  assert.deepEqual(readdirSync(inside), []);
});

test('extractArchive() leaves holes for chunks of zeros', async () => {
  const zeros = await crafter.chunk(new Uint8Array(1_000_000));
  const end = await crafter.chunk(fromUtf8('end'));
  crafter.add({ path: 'middle', chunks: [end, zeros, end], size: 1_000_006 });
  crafter.add({ path: 'tail', chunks: [end, zeros], size: 1_000_003 });
  const { archive } = await crafter.finish();
  assert.deepEqual(await extract(archive, { sparse: true }), []);
  for (const [name, sizeBytes] of [
    ['middle', 1_000_006],
    ['tail', 1_000_003],
  ] as const) {
    const stat = lstatSync(join(inside, name));
    assert.equal(stat.size, sizeBytes);
    assert.ok(stat.blocks * 512 < 500_000, `${name}: ${stat.blocks} blocks`);
  }
  assert.equal(readFileSync(join(inside, 'middle')).subarray(-3).toString(), 'end');
});

test('extractArchive() warns of wrong sizes and replaced chunks, and goes on', async () => {
  const chunk = await crafter.chunk(fromUtf8('abc'));
  crafter.add({ path: 'short', chunks: [chunk], size: 4 });
  crafter.add({ path: 'broken', chunks: [chunk], chunksHealthy: [chunk], size: 3 });
  crafter.add({ path: 'odd', mode: 0o140644 });
  await crafter.addFile('good', 'x');
  const { archive } = await crafter.finish();
  assert.deepEqual(await extract(archive), [102, 102, 102]);
  assert.deepEqual(
    ctx.reporter.warnings.map((warning) => warning.message),
    [
      'short: Size inconsistency detected: size 4, chunks size 3',
      'broken: File has damaged (all-zero) chunks. Try running borg check --repair.',
      'odd: unknown type of item, mode 140644',
    ],
  );
  assert.equal(read('good'), 'x');
});

test('extractArchive() stops at a chunk that is missing or damaged, and names the file', async () => {
  await crafter.addFile('f', 'content');
  const { archive, objects } = await crafter.finish();
  const logged: string[] = [];
  ctx.reporter.log = (_level, message) => void logged.push(message);
  const id = toHex(await firstChunk(archive));
  const sealed = objects.get(id)!;
  objects.delete(id);
  await assert.rejects(extract(archive), ObjectNotFound);
  objects.set(id, sealed.with(sealed.length - 1, 0));
  await assert.rejects(extract(archive, { dryRun: true }), IntegrityError);
  assert.equal(logged.filter((line) => line.startsWith('f: ')).length, 2);
});

async function firstChunk(archive: Archive): Promise<Uint8Array> {
  for await (const item of archive.items()) if (item.chunks !== undefined) return item.chunks[0]!.id;
  throw new Error('no chunks');
}

/** Items that reach out of the destination; the exit code of the warning that each gives. */
const attacks: readonly (readonly [string, (crafter: ArchiveCrafter) => unknown, readonly number[]])[] = [
  ['an absolute path', (one) => one.addFile('/tmp/alcove-planted', 'x'), [109]],
  ['a path that climbs', (one) => one.addFile('../planted', 'x'), [109]],
  ['a path that climbs later', (one) => one.addFile('a/../../planted', 'x'), [109]],
  ['a folder that climbs', (one) => one.add({ path: 'a/..', mode: 0o040000 }), [109]],
  ['a folder above', (one) => one.add({ path: '..', mode: 0o040000 }), [109]],
  [
    'a file below a planted symlink',
    async (one) => {
      one.add({ path: 'door', mode: SYMLINK, source: '../outside' });
      await one.addFile('door/planted', 'x');
    },
    [108],
  ],
  [
    'a folder below a planted symlink',
    (one) =>
      one
        .add({ path: 'door', mode: SYMLINK, source: '../outside' })
        .add({ path: 'door/planted', mode: DIRECTORY }),
    [108],
  ],
  [
    'a folder that becomes a symlink before its attributes are set',
    (one) =>
      one.add({ path: 'door', mode: 0o040000 }).add({ path: 'door', mode: SYMLINK, source: '../outside' }),
    [],
  ],
  ['a hard link to an absolute path', (one) => one.add({ path: 'l', source: '/etc/passwd' }), [110]],
  ['a hard link that climbs', (one) => one.add({ path: 'l', source: '../secret' }), [110]],
  [
    'a hard link by way of a planted symlink',
    (one) => one.add({ path: 'door', mode: SYMLINK, source: '..' }).add({ path: 'l', source: 'door/secret' }),
    [110],
  ],
  ['a hard link to nothing', (one) => one.add({ path: 'l', source: 'nothing' }), [107]],
  ['a zero byte in a path', (one) => one.addFile('a\0b', 'x'), [102]],
  ['a zero byte above a file', (one) => one.addFile('a\0b/c', 'x'), [102]],
  ['a zero byte in the path of a folder', (one) => one.add({ path: 'a\0b', mode: DIRECTORY }), [102]],
  [
    "a zero byte in a symlink's target",
    (one) => one.add({ path: 's', mode: SYMLINK, source: 'a\0b' }),
    [102],
  ],
  ['a hard link to a zero byte', (one) => one.add({ path: 'l', source: 'a\0b' }), [102]],
  ['an empty path', (one) => one.add({ path: '' }), []],
];

for (const [what, craft, codes] of attacks) {
  test(`extractArchive() refuses ${what}, and goes on`, async () => {
    await craft(crafter);
    await crafter.addFile('good', 'x');
    const { archive } = await crafter.finish();
    const before = lstatSync(join(root, 'outside')).mode;
    assert.deepEqual(await extract(archive), codes);
    assert.equal(read('good'), 'x');
    assert.deepEqual(readdirSync(root).toSorted(), ['inside', 'outside', 'secret']);
    assert.deepEqual(readdirSync(join(root, 'outside')), []);
    assert.equal(lstatSync(join(root, 'outside')).mode, before);
    assert.equal(lstatSync(join(root, 'secret')).nlink, 1);
    assert.equal(existsSync('/tmp/alcove-planted'), false);
  });
}

test('a hard link to a symlink is another name of the symlink', async () => {
  crafter.add({ path: 's', mode: SYMLINK, source: '../secret' });
  crafter.add({ path: 'l', source: 's' });
  const { archive } = await crafter.finish();
  await extract(archive);
  assert.equal(lstatSync(join(inside, 'l')).isSymbolicLink(), true);
  assert.equal(lstatSync(join(root, 'secret')).nlink, 1);
});
