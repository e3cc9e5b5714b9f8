import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { main } from '../../src/cli/main.ts';
import { fakeIo, type FakeIo, type FakeOptions } from './fake-io.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-debug-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const env = { BORG_BASE_DIR: join(scratch, 'home'), BORG_PASSPHRASE: 'secret', TZ: 'UTC' };
const repository = join(scratch, 'repository');
const MANIFEST = '0'.repeat(64);

async function run(argv: string[], options: FakeOptions = {}): Promise<FakeIo & { code: number }> {
  const files = { sealed: 'sealed elsewhere' };
  const io = fakeIo(argv, { cwd: scratch, env, files, ...options });
  return Object.assign(io, { code: await main(io) });
}

before(async () => {
  mkdirSync(join(scratch, 'tree'));
  writeFileSync(join(scratch, 'tree/file'), 'contents');
  await run(['init', '-e', 'repokey', repository]);
  await run(['create', `${repository}::one`, 'tree']);
});

describe('debug', () => {
  it('get-obj writes over what is there, and nothing for an object that is not', async () => {
    writeFileSync(join(scratch, 'object'), 'x'.repeat(100_000));
    assert.equal((await run(['debug', 'get-obj', repository, '1'.repeat(64), 'object'])).code, 2);
    assert.equal(readFileSync(join(scratch, 'object')).length, 100_000);
    const { stdout } = await run(['debug', 'get-obj', repository, MANIFEST, 'object']);
    assert.equal(stdout.text, `object ${MANIFEST} fetched.\n`);
    assert.equal(readFileSync(join(scratch, 'object'))[0], 3);
  });

  it('dump-archive leaves a file alone where there is no such archive', async () => {
    writeFileSync(join(scratch, 'dump'), 'precious');
    const { code } = await run(['debug', 'dump-archive', `${repository}::none`, 'dump']);
    assert.equal(code, 2);
    assert.equal(readFileSync(join(scratch, 'dump'), 'utf8'), 'precious');
  });

  it('put-obj says nothing of success where the repository did not take it', async () => {
    await run(['config', repository, 'storage_quota', '10M']);
    const files = { sealed: 'x'.repeat(11_000_000) };
    const { code, stdout } = await run(['debug', 'put-obj', repository, '2'.repeat(64), 'sealed'], { files });
    assert.deepEqual([code, stdout.text], [2, '']);
    assert.equal((await run(['debug', 'get-obj', repository, '2'.repeat(64), 'object'])).code, 2);
    await run(['config', '--delete', repository, 'storage_quota']);
  });

  it('delete-obj and refcount-obj want an id', async () => {
    for (const command of ['delete-obj', 'refcount-obj']) {
      const { code, stderr } = await run(['debug', command, repository]);
      assert.equal(code, 2);
      assert.match(stderr.text, /error: the following arguments are required: IDs\n/);
    }
  });

  it('convert-profile leaves the output alone where the input is no profile', async () => {
    const { code, stderr } = await run(['debug', 'convert-profile', 'sealed', 'converted']);
    assert.equal(code, 2);
    assert.match(stderr.text, /^Error: sealed is no profile of Borg: /);
    assert.ok(!existsSync(join(scratch, 'converted')));
  });
});

describe('benchmark crud', () => {
  const trial = { ...env, _BORG_BENCHMARK_CRUD_TEST: 'YES' };

  it('prints four lines a test, and leaves nothing behind', async () => {
    const { code, stdout } = await run(['benchmark', 'crud', repository, 'bench'], { env: trial });
    assert.equal(code, 0);
    assert.match(
      stdout.text,
      /^(?:[CRUD]-[ZR]-TEST {5} +\d+\.\d\d MB\/s \(1 \* 1 B (?:all-zero|random) files: \d+\.\d\ds\)\n){8}$/,
    );
    assert.deepEqual(
      stdout.lines.map((line) => line.slice(0, 8)),
      ['C-Z-TEST', 'R-Z-TEST', 'U-Z-TEST', 'D-Z-TEST', 'C-R-TEST', 'R-R-TEST', 'U-R-TEST', 'D-R-TEST'],
    );
    assert.deepEqual(readdirSync(join(scratch, 'bench')), []);
    assert.equal((await run(['list', '--short', repository])).stdout.text, 'one\n');
  });

  it('asks for the passphrase once', async () => {
    const { BORG_PASSPHRASE: _, ...without } = trial;
    const { code, prompts } = await run(['benchmark', 'crud', repository, 'bench'], {
      env: without,
      passphrases: ['secret'],
    });
    assert.deepEqual([code, prompts.length], [0, 1]);
  });

  it('makes no files where there is no repository', async () => {
    const { code } = await run(['benchmark', 'crud', 'nowhere', 'elsewhere'], { env: trial });
    assert.equal(code, 2);
    assert.ok(!existsSync(join(scratch, 'elsewhere')));
  });

  it('leaves a folder alone that is in its way', async () => {
    mkdirSync(join(scratch, 'taken/borg-test-data'), { recursive: true });
    const { code, stderr } = await run(['benchmark', 'crud', repository, 'taken'], { env: trial });
    assert.equal(code, 2);
    assert.match(stderr.text, /^Error: \[Errno 17\] File exists: '.*borg-test-data'\n/);
    assert.ok(existsSync(join(scratch, 'taken/borg-test-data')));
  });
});
