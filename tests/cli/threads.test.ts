import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { main } from '../../src/cli/main.ts';
import type { Environment } from '../../src/util/context.ts';
import { fakeIo, type FakeIo } from './fake-io.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-threads-'));
const repo = join(scratch, 'repo');
const env = { BORG_BASE_DIR: join(scratch, 'home'), BORG_PASSPHRASE: 'pass' };

async function run(argv: string[], more: Environment = {}): Promise<FakeIo & { code: number }> {
  const io = fakeIo(argv, { cwd: scratch, env: { ...env, ...more } });
  return Object.assign(io, { code: await main(io) });
}

/** How many threads a command starts. */
async function threadsOf(argv: string[], more: Environment = {}): Promise<number> {
  let threads = 0;
  const count = (): void => void (threads += 1);
  process.on('worker', count);
  const { code, stderr } = await run(argv, more);
  process.off('worker', count);
  assert.equal(code, 0, stderr.text);
  return threads;
}

describe('--threads', () => {
  before(async () => {
    mkdirSync(join(scratch, 'tree'));
    // Of less, a check does not have threads read.
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(join(scratch, 'tree', name), randomBytes(12_000_000));
    }
    assert.equal((await run(['init', '-e', 'repokey', repo])).code, 0);
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  const cases: readonly (readonly string[])[] = [
    ['create', '--compression=none', `${repo}::made`, 'tree'],
    ['extract', '--dry-run', `${repo}::made`],
    ['export-tar', `${repo}::made`, join(scratch, 'tar')],
    ['import-tar', `${repo}::imported`, join(scratch, 'tar')],
    ['check', '--archives-only', '--verify-data', repo],
    ['recreate', '--recompress', '-C', 'lz4', '--target', 'recreated', `${repo}::made`],
  ];
  for (const [name, ...args] of cases) {
    it(`has ${name} work with so many threads`, async () => {
      assert.equal(await threadsOf([name!, '--threads=1', ...args]), 1);
    });
  }

  it('takes the number from the environment where it is not given', async () => {
    const extract = ['extract', '--dry-run', `${repo}::made`];
    assert.equal(await threadsOf(extract, { ALCOVE_THREADS: '1' }), 1);
    assert.equal(await threadsOf([...extract, '--threads=1'], { ALCOVE_THREADS: 'all' }), 1);
    const { code, stderr } = await run(extract, { ALCOVE_THREADS: 'all' });
    assert.equal(code, 2);
    assert.match(stderr.text, /argument --threads \(from ALCOVE_THREADS\): invalid .* 'all'/);
    // As if it were not set.
    assert.equal((await run(extract, { ALCOVE_THREADS: '' })).code, 0);
  });

  for (const [text, message] of [
    ['0', 'A positive integer is required: 0'],
    ['-1', 'A positive integer is required: -1'],
    ['many', "invalid positive_int_validator value: 'many'"],
    ['257', 'at most 256 threads are possible: 257'],
  ] as const) {
    it(`refuses ${text}`, async () => {
      const { code, stderr } = await run(['create', `--threads=${text}`, `${repo}::x`, 'tree']);
      assert.equal(code, 2);
      assert.ok(stderr.text.includes(`argument --threads: ${message}\n`), stderr.text);
    });
  }
});
