/** Files that other threads write: the same as if one were made after the other. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { extractArchive, type ExtractOptions } from '../../../src/archive/extract/extract.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { IntegrityError, ObjectNotFound } from '../../../src/errors.ts';
import type { ChunkRef } from '../../../src/format/item.ts';
import { fromUtf8, toHex } from '../../../src/util/bytes.ts';
import type { Context } from '../../../src/util/context.ts';
import type { SilentReporter } from '../../../src/util/reporter.ts';
import { noise } from '../../noise.ts';
import { ArchiveCrafter, type Crafted, testContext } from '../crafted-archive.ts';

const DIRECTORY = 0o040755;
const SYMLINK = 0o120777;
const MTIME_NS = 1_111_111_111_000_000_000n;

let root: string;
let crafter: ArchiveCrafter;
let ctx: Context & { reporter: SilentReporter };
/** All that is said, in its order. */
let said: string[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'alcove-tree-'));
  ctx = testContext(root);
  said = [];
  ctx.reporter.log = (_level, message) => void said.push(message);
  ctx.reporter.warn = (warning) => void said.push(`! ${warning.message}`);
  crafter = await ArchiveCrafter.create(ctx);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** So much that the items behind it are written by other threads. */
async function addMuch(): Promise<void> {
  const chunk = await crafter.chunk(new Uint8Array(5_000_000));
  crafter.add({ path: 'much', chunks: [chunk], size: 5_000_000 });
}

async function addLarge(path: string, chunkCount: number): Promise<{ chunks: ChunkRef[]; data: Buffer }> {
  const parts = Array.from({ length: chunkCount }, (_, index) => noise(300_000, index + 1));
  const chunks: ChunkRef[] = [];
  for (const part of parts) chunks.push(await crafter.chunk(part));
  crafter.add({ path, chunks, size: chunkCount * 300_000, mtimeNs: MTIME_NS });
  return { chunks, data: Buffer.concat(parts) };
}

async function extract({ archive }: Crafted, options: Partial<ExtractOptions> = {}): Promise<void> {
  said = [];
  const matcher = PatternMatcher.build([], []);
  await extractArchive(ctx, archive, { matcher, threads: 2, list: true, ...options });
}

const at = (path: string): string => join(root, path);
const text = (path: string): string => readFileSync(at(path), 'utf8');
const isSame = (path: string, data: Uint8Array): boolean => readFileSync(at(path)).equals(data);
const mtimeNs = (path: string): bigint => lstatSync(at(path), { bigint: true }).mtimeNs;
const openFiles = (): number => readdirSync('/proc/self/fd').length;
const isLinux = process.platform === 'linux';

test('extractArchive() says everything in the order of items, whichever thread is done first', async () => {
  await addMuch();
  const expected = ['much'];
  for (let folder = 0; folder < 40; folder++) {
    crafter.add({ path: `d${folder}`, mode: DIRECTORY, mtimeNs: BigInt(folder) * 10n ** 9n });
    expected.push(`d${folder}`);
    for (let file = 0; file < 20; file++) {
      const path = `d${folder}/f${file}`;
      const chunk = await crafter.chunk(fromUtf8(path));
      const isWrong = (folder + file) % 17 === 0;
      crafter.add({ path, chunks: [chunk], size: path.length + (isWrong ? 1 : 0), mtimeNs: MTIME_NS });
      expected.push(path);
      const sizes = `size ${path.length + 1}, chunks size ${path.length}`;
      if (isWrong) expected.push(`! ${path}: Size inconsistency detected: ${sizes}`);
    }
    crafter.add({ path: `d${folder}/link`, mode: SYMLINK, source: 'f1' });
    crafter.add({ path: `d${folder}/again`, source: `d${folder}/f19` });
    expected.push(`d${folder}/link`, `d${folder}/again`);
  }
  await extract(await crafter.finish());
  assert.deepEqual(said, expected);
  for (let folder = 0; folder < 40; folder++) {
    assert.equal(mtimeNs(`d${folder}`), BigInt(folder) * 10n ** 9n);
    for (let file = 0; file < 20; file++) assert.equal(text(`d${folder}/f${file}`), `d${folder}/f${file}`);
    assert.equal(mtimeNs(`d${folder}/f7`), MTIME_NS);
    assert.equal(lstatSync(at(`d${folder}/again`)).ino, lstatSync(at(`d${folder}/f19`)).ino);
  }
});

test('extractArchive() writes large files in parts, with what is small between them', async () => {
  await addMuch();
  const one = await addLarge('one', 12);
  await crafter.addFile('small', 'between');
  const two = await addLarge('two', 5);
  crafter.add({ path: 'again', source: 'two' });
  const before = isLinux ? openFiles() : 0;
  await extract(await crafter.finish());
  assert.deepEqual(said, ['much', 'one', 'small', 'two', 'again']);
  assert.ok(isSame('one', one.data) && isSame('two', two.data));
  assert.equal(text('small'), 'between');
  assert.deepEqual([mtimeNs('one'), mtimeNs('two')], [MTIME_NS, MTIME_NS]);
  assert.equal(lstatSync(at('again')).ino, lstatSync(at('two')).ino);
  if (isLinux) assert.ok(openFiles() <= before, 'all files are closed');
});

test('extractArchive() leaves holes in large files', async () => {
  await addMuch();
  const zeros = await crafter.chunk(new Uint8Array(2_000_000));
  const data = await crafter.chunk(noise(700_000));
  const chunks = [data, zeros, data, zeros, zeros];
  crafter.add({ path: 'holes', chunks, size: 7_400_000 });
  await extract(await crafter.finish(), { sparse: true });
  const whole = [noise(700_000), new Uint8Array(2_000_000), noise(700_000), new Uint8Array(4_000_000)];
  assert.ok(isSame('holes', Buffer.concat(whole)));
  const { blocks } = lstatSync(at('holes'));
  assert.ok(blocks * 512 < 2_500_000, `takes ${blocks * 512} bytes: this file system knows no holes`);
});

test('extractArchive() puts the chunks of a large file behind each other, whatever sizes the item gives them', async () => {
  await addMuch();
  const { chunks, data } = await addLarge('right', 8);
  const wrong = chunks.map((chunk, index) => ({ ...chunk, size: index === 3 ? 299_999 : 300_000 }));
  crafter.add({ path: 'wrong', chunks: wrong, size: data.length, mtimeNs: MTIME_NS });
  await crafter.addFile('after', 'x');
  await extract(await crafter.finish());
  assert.ok(isSame('wrong', data));
  assert.equal(mtimeNs('wrong'), MTIME_NS);
  assert.deepEqual(said, ['much', 'right', 'wrong', 'after']);
});

test('extractArchive() does what comes later to a path after what comes earlier', async () => {
  await addMuch();
  await crafter.addFile('twice', 'first');
  await crafter.addFile('twice', 'second');
  await crafter.addFile('./twice', 'third');
  await crafter.addFile('becomes-folder', 'x');
  crafter.add({ path: 'becomes-folder', mode: DIRECTORY, mtimeNs: MTIME_NS });
  await crafter.addFile('becomes-folder/f', 'in it');
  crafter.add({ path: 'becomes-file', mode: DIRECTORY });
  await crafter.addFile('becomes-file', 'y');
  crafter.add({ path: 'door', mode: SYMLINK, source: '..' });
  await crafter.addFile('door/planted', 'z');
  await crafter.addFile('parent', 'file');
  await crafter.addFile('parent/f', 'z');
  await crafter.addFile('first', 'one');
  crafter.add({ path: 'other', source: 'first' });
  await crafter.addFile('first', 'two');
  await extract(await crafter.finish());
  assert.equal(text('twice'), 'third');
  assert.equal(text('becomes-folder/f'), 'in it');
  assert.equal(mtimeNs('becomes-folder'), MTIME_NS);
  assert.equal(text('becomes-file'), 'y');
  assert.equal(text('parent'), 'file');
  assert.deepEqual([text('other'), text('first')], ['one', 'two']);
  assert.deepEqual(
    said.filter((line) => line.startsWith('!')).map((line) => line.split(':')[0]),
    ['! door/planted', '! parent/f'],
  );
  assert.equal(existsSync(join(root, '..', 'planted')), false);
});

/** Hundred files of which one is damaged; what is there of them in the end. */
async function extractDamaged(
  damage: (crafted: Crafted, id: string) => void,
  error: new (...args: never[]) => Error,
): Promise<void> {
  await addMuch();
  crafter.add({ path: 'd', mode: 0o040700, mtimeNs: MTIME_NS });
  for (let file = 0; file < 100; file++) {
    const parts = [`${file} begins`, `, goes on`, ` and ends ${file}`];
    const chunks: ChunkRef[] = [];
    for (const part of parts) chunks.push(await crafter.chunk(fromUtf8(part)));
    crafter.add({ path: `d/f${file}`, chunks, mtimeNs: MTIME_NS });
  }
  const id = toHex((await crafter.chunk(fromUtf8(' and ends 50'))).id);
  const crafted = await crafter.finish();
  damage(crafted, id);
  await assert.rejects(extract(crafted), error);
  assert.deepEqual(said.slice(-2), ['d/f50', 'd/f50: contents are missing or damaged in the repository']);
  assert.equal(said.length, 2 + 51 + 1);
  assert.equal(text('d/f50'), '50 begins, goes on');
  assert.notEqual(mtimeNs('d/f50'), MTIME_NS);
  for (const name of readdirSync(at('d'))) {
    const file = Number(name.slice(1));
    if (file === 50) continue;
    assert.equal(text(`d/${name}`), `${file} begins, goes on and ends ${file}`);
    assert.equal(mtimeNs(`d/${name}`), MTIME_NS);
  }
  for (let file = 0; file < 50; file++) assert.ok(existsSync(at(`d/f${file}`)));
}

test('extractArchive() ends at a damaged chunk within a batch, and names the file', () =>
  extractDamaged(({ objects }, id) => {
    const sealed = objects.get(id)!;
    objects.set(id, sealed.with(sealed.length - 1, 0));
  }, IntegrityError));

test('extractArchive() ends at a missing chunk within a batch, and names the file', () =>
  extractDamaged(({ objects }, id) => void objects.delete(id), ObjectNotFound));

for (const [what, damage, error] of [
  [
    'damaged',
    (objects: Map<string, Uint8Array>, id: string) => void objects.set(id, objects.get(id)!.with(1000, 7)),
    IntegrityError,
  ],
  ['missing', (objects: Map<string, Uint8Array>, id: string) => void objects.delete(id), ObjectNotFound],
] as const) {
  test(`extractArchive() leaves no more of a large file than comes before a ${what} chunk`, async () => {
    await addMuch();
    const { chunks, data } = await addLarge('large', 20);
    const crafted = await crafter.finish();
    damage(crafted.objects, toHex(chunks[9]!.id));
    await assert.rejects(extract(crafted), error);
    assert.ok(isSame('large', data.subarray(0, 9 * 300_000)));
    assert.notEqual(mtimeNs('large'), MTIME_NS);
    assert.deepEqual(said, ['much', 'large', 'large: contents are missing or damaged in the repository']);
  });
}

test('extractArchive() ends with whole files when it is interrupted', async () => {
  await addMuch();
  for (let file = 0; file < 600; file++) {
    const chunk = await crafter.chunk(noise(5000, file + 1));
    crafter.add({ path: `f${file}`, chunks: [chunk], size: 5000, mtimeNs: MTIME_NS });
  }
  const { data } = await addLarge('large', 20);
  const crafted = await crafter.finish();
  const interruption = new AbortController();
  ctx = { ...ctx, signal: interruption.signal };
  ctx.reporter.log = (_level, message) => {
    said.push(message);
    if (message === 'f99') interruption.abort(new Error('enough'));
  };
  await assert.rejects(extract(crafted), /^Error: enough$/);
  for (const name of readdirSync(root)) {
    if (name === 'large' || name === 'much') continue;
    assert.ok(isSame(name, noise(5000, Number(name.slice(1)) + 1)), name);
    assert.equal(mtimeNs(name), MTIME_NS);
  }
  for (const name of said) assert.ok(existsSync(at(name)), name);
  if (!existsSync(at('large'))) return;
  const part = readFileSync(at('large'));
  assert.ok(part.length === 0 || data.subarray(0, part.length).equals(part));
  assert.notEqual(mtimeNs('large'), MTIME_NS);
});

const noRoom = (path: string): string => `! ${path}: write: [Errno 28] No space left on device`;

test('extractArchive() warns where there is no room, and goes on', async (t) => {
  const small = at('small');
  mkdirSync(small);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'alcove-test', small]);
  if (mounted.status !== 0) return t.skip('mounting a small file system takes root');
  try {
    await addMuch();
    const { data } = await addLarge('large', 20);
    await crafter.addFile('d/small', 'x');
    for (let file = 0; file < 3; file++) {
      const chunk = await crafter.chunk(noise(4_000_000, 100 + file));
      crafter.add({ path: `f${file}`, chunks: [chunk], size: 4_000_000, mtimeNs: MTIME_NS });
    }
    crafter.add({ path: 'end', mode: DIRECTORY });
    await extract(await crafter.finish(), { destination: small });
    assert.deepEqual(said.slice(0, 4), ['much', 'large', noRoom('large'), 'd/small']);
    assert.equal(said.at(-1), 'end');
    const part = readFileSync(join(small, 'large'));
    assert.ok(data.subarray(0, part.length).equals(part), 'no part behind the one that is missing');
    assert.notEqual(lstatSync(join(small, 'large'), { bigint: true }).mtimeNs, MTIME_NS);
    for (const path of ['f1', 'f2']) assert.ok(said.includes(noRoom(path)), path);
  } finally {
    spawnSync('umount', [small]);
  }
});

test('extractArchive() keeps few folders open, however many there are', { skip: !isLinux }, async () => {
  await addMuch();
  for (let folder = 0; folder < 600; folder++) await crafter.addFile(`d/${folder}/f`, `${folder}`);
  let most = 0;
  const before = openFiles();
  ctx.reporter.log = () => void (most = Math.max(most, openFiles()));
  await extract(await crafter.finish());
  assert.ok(most - before < 400, `${most - before} more open files`);
  assert.ok(openFiles() <= before);
  for (let folder = 0; folder < 600; folder++) assert.equal(text(`d/${folder}/f`), `${folder}`);
});
