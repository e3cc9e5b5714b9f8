import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Archive } from '../../src/archive/archive.ts';
import { main } from '../../src/cli/main.ts';
import { foldArchives } from '../../src/cli/output/archive-ranges.ts';
import { encodePut, PUT_HEADER_SIZE_BYTES, TAG_PUT } from '../../src/format/segment.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { equalBytes, toUtf8Lossy } from '../../src/util/bytes.ts';
import { strongChecksum } from '../../src/util/strong-checksum.ts';
import { Scratch } from '../archive/scratch.ts';
import { fakeIo } from './fake-io.ts';
import { schema } from './json-output.ts';

test('foldArchives() folds archives that follow each other', () => {
  const names = ['mon-01', 'mon-02', 'mon-03', 'tue', 'wed', 'x\ny'];
  const cases: [[number, number][], string][] = [
    [[[0, 0]], 'mon-01'],
    [[[0, 1]], '2 archives, mon-01, mon-02'],
    [[[0, 2]], '3 archives, mon-01 … mon-03'],
    [
      [
        [0, 2],
        [4, 5],
      ],
      '5 archives, mon-01 … mon-03, wed, x?y',
    ],
    [Array.from({ length: 5 }, (_, i) => [i, i]), '5 archives, mon-01, mon-02, mon-03, tue, …'],
  ];
  for (const [ranges, text] of cases) assert.equal(foldArchives(names, ranges), text);
});

async function damaged(remove: 'a chunk' | 'the manifest' | 'nothing'): Promise<Scratch> {
  const scratch = new Scratch();
  await scratch.init();
  scratch.write('source/report.odt', 'words');
  scratch.write('source/sound', 'music');
  for (const name of ['mon-01', 'mon-02', 'mon-03']) await scratch.create(name);
  if (remove === 'nothing') return scratch;
  await using session = await scratch.open();
  const archive = await Archive.open(session, 'mon-01');
  let id = MANIFEST_ID;
  for await (const item of archive.items()) {
    if (remove === 'a chunk' && toUtf8Lossy(item.path).endsWith('.odt')) id = item.chunks![0]!.id;
  }
  await session.repository.delete(id);
  await session.repository.commit();
  return scratch;
}

async function run(
  scratch: Scratch,
  args: readonly string[],
  options: { answers?: string[] } = {},
): Promise<{ status: number; stdout: string; stderr: string; prompts: readonly string[] }> {
  const io = fakeIo(['check', ...args, scratch.join('repository')], {
    env: { BORG_BASE_DIR: scratch.path, BORG_PASSPHRASE: 'scratch', BORG_EXIT_CODES: 'modern' },
    ...options,
  });
  const status = await main(io);
  return { status, stdout: io.stdout.text, stderr: io.stderr.text, prompts: io.prompts };
}

test('check says nothing beyond Borg where nothing is damaged', async () => {
  using scratch = await damaged('nothing');
  for (const args of [
    [],
    ['--verify-data'],
    ['--repository-only'],
    ['--archives-only', '--repository-only'],
  ]) {
    assert.deepEqual(await run(scratch, args), { status: 0, stdout: '', stderr: '', prompts: [] });
  }
});

test('check lists the files that need what is missing', async () => {
  using scratch = await damaged('a chunk');
  const { status, stdout } = await run(scratch, []);
  assert.equal(status, 1);
  assert.match(stdout, /^ {2}source\/report\.odt {2}in 3 archives, mon-01 … mon-03 \(1 chunk, 5 B\)$/m);
  assert.match(
    stdout,
    /^Summary: 1 chunk \(5 B\) damaged or missing, needed by 1 file in 3 of 3 archives\.$/m,
  );
  assert.doesNotMatch(stdout, /sound/);
});

test('check --repair --dry-run asks nothing, and says what would be done', async () => {
  using scratch = await damaged('a chunk');
  const { status, stdout, stderr } = await run(scratch, ['--repair', '--dry-run']);
  assert.equal(status, 1);
  assert.match(stdout, /^A repair would do this \(nothing was changed\):$/m);
  assert.match(stdout, /^ {2}write mon-02 again: zeros for what 1 file lost /m);
  assert.doesNotMatch(stderr, /YES/);
});

test('check --repair changes nothing unless YES is typed', async () => {
  using scratch = await damaged('a chunk');
  const { status } = await run(scratch, ['--repair'], { answers: ['yes'] });
  assert.equal(status, 3);
  assert.equal((await run(scratch, [])).status, 1);
  const repaired = await run(scratch, ['--repair'], { answers: ['YES'] });
  assert.equal(repaired.status, 0, repaired.stderr);
  assert.match(repaired.stdout, /^Files that lost contents/);
  assert.match(repaired.stdout, /until "compact" runs/);
  assert.equal((await run(scratch, [])).status, 0);
});

test('check refuses options that contradict each other', async () => {
  using scratch = await damaged('nothing');
  const lines: [string, RegExp][] = [
    ['--repository-only --verify-data', /--repository-only contradicts --first/],
    ['--repository-only --last 1', /--repository-only contradicts --first/],
    ['--repair --max-duration 1', /--repair does not allow --max-duration/],
    ['--max-duration 1', /--repository-only is required for --max-duration/],
    ['--dry-run', /--dry-run needs --repair/],
    ['--repair --bypass-lock', /--repair does not allow --bypass-lock/],
    ['--repair --checksums', /--repair does not allow --checksums, .* --repair --verify-data/],
    ['--archives-only --checksums', /--archives-only contradicts --checksums/],
  ];
  for (const [words, said] of lines) {
    const { status, stderr } = await run(scratch, words.split(' '), { answers: ['YES'] });
    assert.equal(status, 4, words);
    assert.match(stderr, said);
  }
});

test('check --json is as its schema says', async () => {
  for (const remove of ['nothing', 'a chunk', 'the manifest'] as const) {
    using scratch = await damaged(remove);
    for (const args of [
      ['--json'],
      ['--json', '--repair', '--dry-run'],
      ['--json', '--repository-only'],
      ['--json', '--repository-only', '--checksums'],
    ]) {
      const { stdout, status } = await run(scratch, args);
      const document = JSON.parse(stdout) as { ok: boolean };
      const validate = schema('check');
      assert.ok(validate(document), `${stdout}\n${JSON.stringify(validate.errors)}`);
      assert.equal(document.ok, status === 0);
    }
  }
});

function sizeOf(path: string): number {
  return statSync(path).size;
}

test('check --json names what the repository lost', async () => {
  using scratch = await damaged('nothing');
  const segments = globSync('repository/data/0/*', { cwd: scratch.path }).map((path) => scratch.join(path));
  const [largest] = segments.toSorted((a, b) => sizeOf(b) - sizeOf(a));
  const bytes = readFileSync(largest!);
  bytes[60]! ^= 1;
  writeFileSync(largest!, bytes);
  const { stdout, status } = await run(scratch, ['--json']);
  assert.equal(status, 1);
  const document = JSON.parse(stdout) as { repository_check: { damage: object[] } };
  assert.ok(schema('check')(document), stdout);
  assert.ok(document.repository_check.damage.length > 0);
});

/** Stores all objects again, as if a client had sent them with checksums; of a file's chunk, then changes what is stored. */
async function changedSince(scratch: Scratch, path: string): Promise<void> {
  await using session = await scratch.open();
  const { repository } = session;
  for (const id of await repository.list()) {
    const sealed = await repository.get(id);
    await repository.put(id, sealed, strongChecksum(sealed));
  }
  await repository.commit();
  const archive = await Archive.open(session, 'mon-01');
  for await (const item of archive.items()) {
    if (!toUtf8Lossy(item.path).endsWith(path)) continue;
    const { id } = item.chunks![0]!;
    const { log } = repository as SegmentRepository;
    const segment = log.files.latest()! - 1;
    const put = [...log.entries(segment)].find(({ tag, key }) => tag === TAG_PUT && equalBytes(key, id))!;
    const file = scratch.join('repository', log.files.path(segment));
    const bytes = readFileSync(file);
    const sealed = bytes.subarray(put.offset + PUT_HEADER_SIZE_BYTES, put.offset + put.sizeBytes);
    sealed[sealed.length - 1]! ^= 1;
    encodePut(id, sealed).forEach((byte, at) => (bytes[put.offset + at] = byte));
    writeFileSync(file, bytes);
  }
}

test('check --checksums finds what has changed without the key, and with it who needs that', async () => {
  using scratch = await damaged('nothing');
  const nothing = await run(scratch, ['--repository-only', '--checksums']);
  assert.match(
    nothing.stdout,
    /^Checksums: 0 of (\d+) objects are as they were sent, of \1 there is no checksum\.\n$/,
  );
  await changedSince(scratch, '.odt');
  assert.equal((await run(scratch, ['--repository-only'])).status, 0);
  const keyless = await run(scratch, ['--repository-only', '--checksums']);
  assert.equal(keyless.status, 1);
  assert.match(
    keyless.stderr,
    /^Object [0-9a-f]{64} is not what was sent: its checksum does not match \[segment/m,
  );
  assert.match(keyless.stdout, /^Checksums: \d+ of \d+ objects are as they were sent, 1 are not\.\n$/);
  const { stdout, status } = await run(scratch, ['--checksums']);
  assert.equal(status, 1);
  assert.match(stdout, /^ {2}source\/report\.odt {2}in 3 archives, mon-01 … mon-03 \(1 chunk, 5 B\)$/m);
  const document = JSON.parse((await run(scratch, ['--checksums', '--json'])).stdout) as {
    repository_check: { checksums: { changed: number } };
  };
  assert.ok(schema('check')(document));
  assert.equal(document.repository_check.checksums.changed, 1);
});
