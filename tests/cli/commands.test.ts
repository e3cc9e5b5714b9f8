/** The commands from end to end, each run by main() on a real repository. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { main } from '../../src/cli/main.ts';
import { fakeIo, type FakeIo, type FakeOptions } from './fake-io.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-commands-'));
const source = join(scratch, 'source');
const repo = join(scratch, 'repo');
const env = { BORG_BASE_DIR: join(scratch, 'home'), BORG_PASSPHRASE: 'pass', TZ: 'UTC' };

type Result = FakeIo & { code: number };

async function run(argv: string[], options: FakeOptions = {}): Promise<Result> {
  const io = fakeIo(argv, { cwd: scratch, env, sources: [source], ...options });
  return Object.assign(io, { code: await main(io) });
}

async function succeed(argv: string[], options: FakeOptions = {}): Promise<Result> {
  const result = await run(argv, options);
  assert.equal(result.code, 0, result.stderr.text);
  return result;
}

before(async () => {
  mkdirSync(join(source, 'below'), { recursive: true });
  writeFileSync(join(source, 'one'), 'one');
  writeFileSync(join(source, 'below/two'), 'two'.repeat(1000));
  await succeed(['init', '-e', 'repokey', repo]);
  await succeed(['create', `${repo}::first`, source]);
  await succeed(['create', '--comment', 'by {user}', `${repo}::second`, source]);
});
after(() => rmSync(scratch, { recursive: true, force: true }));

describe('create', () => {
  it('lists files with --list, those that --filter says', async () => {
    const { stderr } = await succeed(['create', '--list', '--filter', 'd', `${repo}::listed`, source]);
    assert.deepEqual(stderr.lines.toSorted(), [`d ${source}`, `d ${source}/below`]);
  });

  it('prints sizes with --stats', async () => {
    const { stderr } = await succeed(['create', '--stats', `${repo}::sized`, source]);
    assert.match(
      stderr.text,
      /^-{78}\nRepository: .*\nArchive name: sized\nArchive fingerprint: [0-9a-f]{64}\n/,
    );
    assert.match(stderr.text, /\nNumber of files: 2\n/);
    assert.match(stderr.text, /\nThis archive: {16}3\.00 kB /);
    assert.match(stderr.text, /\nChunk index: +\d+ +\d+\n-{78}\n$/);
  });

  it('prints JSON with --json', async () => {
    const { stdout } = await succeed(['create', '--json', `${repo}::json`, source]);
    const document = JSON.parse(stdout.text) as Record<string, Record<string, unknown>>;
    assert.deepEqual(Object.keys(document), ['archive', 'cache', 'encryption', 'repository']);
    assert.deepEqual(Object.keys(document['archive']!), [
      'command_line',
      'duration',
      'end',
      'id',
      'limits',
      'name',
      'start',
      'stats',
    ]);
    assert.deepEqual(document['encryption'], { mode: 'repokey' });
  });

  it('warns about what is not there and goes on', async () => {
    const missing = join(scratch, 'missing');
    const { code, stderr } = await run(['create', `${repo}::partly`, missing, source]);
    assert.equal(code, 1);
    assert.match(stderr.text, /missing: stat: \[Errno 2\] No such file or directory/);
  });

  it('refuses a name that is taken', async () => {
    const { code, stderr } = await run(['create', `${repo}::first`, source]);
    assert.equal(code, 2);
    assert.match(stderr.text, /^Archive first already exists\n/);
  });

  it('stores nothing with --dry-run', async () => {
    const { stderr } = await succeed(['create', '-n', '--list', '--stats', `${repo}::dry`, source]);
    assert.match(stderr.text, /^Ignoring --stats\. It is not supported when using --dry-run\.\n/);
    assert.match(stderr.text, /\n- .*\/one\n/);
    assert.doesNotMatch((await succeed(['list', '--short', repo])).stdout.text, /dry/);
  });
});

describe('list and info', () => {
  it('list archives that a filter selects, by name', async () => {
    const { stdout } = await succeed([
      'list',
      '--short',
      '-a',
      '*s*',
      '--sort-by',
      'name',
      '--first',
      '2',
      repo,
    ]);
    assert.deepEqual(stdout.lines, ['first', 'json']);
  });

  it('list properties that the format names', async () => {
    const { stdout } = await succeed(['list', '--format', '{name}={comment}{NL}', '-a', 'second', repo]);
    assert.equal(stdout.text, 'second=by anna\n');
  });

  it('list files that patterns select', async () => {
    const argv = ['list', '--format', '{size} {path}{NL}', '--exclude', 'sh:**/two', `${repo}::first`];
    const { stdout } = await succeed(argv);
    assert.ok(stdout.text.includes('3 ') && stdout.text.includes('/one\n'));
    assert.doesNotMatch(stdout.text, /\/two/);
  });

  it('refuse --json for files and --json-lines for archives', async () => {
    assert.match(
      (await run(['list', '--json', `${repo}::first`])).stderr.text,
      /only valid for listing archives/,
    );
    assert.match(
      (await run(['list', '--json-lines', repo])).stderr.text,
      /only valid for listing archive contents/,
    );
  });

  it('show an archive', async () => {
    const { stdout } = await succeed(['info', `${repo}::second`]);
    assert.match(stdout.text, /^Archive name: second\n/);
    assert.match(stdout.text, /\nComment: by anna\n/);
    assert.match(stdout.text, /\nCommand line: alcove create --comment 'by \{user\}' /);
  });

  it('show the repository', async () => {
    const { stdout } = await succeed(['info', repo]);
    assert.match(
      stdout.text,
      /^Repository ID: [0-9a-f]{64}\nLocation: .*\nEncrypted: Yes \(repokey\)\nCache: /,
    );
  });
});

describe('delete and compact', () => {
  it('say what they would do, and do it', async () => {
    await succeed(['create', `${repo}::old`, source]);
    const dry = await succeed(['delete', '--dry-run', '--list', `${repo}::old`]);
    assert.match(dry.stderr.text, /^Would delete archive: old +\w{3}, .* \(1\/1\)\n$/);
    const real = await succeed(['delete', '--stats', '--list', `${repo}::old`]);
    assert.match(real.stderr.text, /^Deleting archive: old .*\(1\/1\)\n-{78}\n/);
    assert.match(real.stderr.text, /\nDeleted data: +-\d/);
    assert.match((await succeed(['compact', '-v', repo])).stderr.text, /freed about/);
  });

  it('warn about names that nothing has', async () => {
    const { code, stderr } = await run(['delete', `${repo}::nothing`]);
    assert.equal(code, 1);
    assert.equal(stderr.text, 'Archive nothing not found (1/1).\n');
  });

  it('delete a repository only after a YES', async () => {
    const other = join(scratch, 'other');
    await succeed(['init', '-e', 'none', other]);
    const refused = await run(['delete', other], { answers: ['yes'] });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr.text, /Cancelled by user\.\n$/);
    assert.ok(existsSync(other));
    await succeed(['delete', other], { answers: ['YES'] });
    assert.ok(!existsSync(other));
  });
});

describe('key', () => {
  it('export and import give the key back', async () => {
    const copy = join(scratch, 'key-copy');
    await succeed(['key', 'export', repo, copy]);
    const text = readFileSync(copy, 'utf8');
    assert.match(text, /^BORG_KEY [0-9a-f]{64}\n/);
    assert.equal((await succeed(['key', 'export', repo])).stdout.text, text);
    await succeed(['key', 'import', repo, '-'], { input: text });
    await succeed(['list', repo]);
  });

  it('import refuses what is no key', async () => {
    const { code, stderr } = await run(['key', 'import', repo, '-'], { input: 'nonsense' });
    assert.equal(code, 2);
    assert.match(stderr.text, /This file is not a Borg key backup, aborting\./);
  });

  it('change-passphrase lets only the new passphrase in', async () => {
    const other = join(scratch, 'rekeyed');
    await succeed(['init', '-e', 'repokey', other]);
    await succeed(['key', 'change-passphrase', other], { env: { ...env, BORG_NEW_PASSPHRASE: 'new' } });
    assert.equal((await run(['list', other])).code, 2);
    await succeed(['list', other], { env: { ...env, BORG_PASSPHRASE: 'new' } });
  });
});

describe('backup', () => {
  const place = join(scratch, 'made', 'by', 'backup');

  it('makes the repository, says where the key is and how to restore', async () => {
    const { stdout, stderr } = await succeed(['backup', '--repo', place, source]);
    assert.match(stderr.text, /^Made a new repository in .*\nIts key is in the repository;/);
    const restore = /^ {2}alcove extract (\S+)$/m.exec(stdout.text)?.[1];
    assert.equal(restore?.startsWith(`${place}::machine-2026-11-22T`), true);
    assert.match(stdout.text, /^Files +2$/m);
    const listed = await succeed(['list', '--short', restore ?? '']);
    assert.match(listed.stdout.text, /\/below\/two\n/);
  });

  it('takes the next free name', async () => {
    for (const name of ['daily', 'daily-2', 'daily-3']) {
      const { stdout } = await succeed(['backup', '--repo', place, '--name', 'daily', source]);
      assert.match(stdout.text, new RegExp(`^Archive +${name}$`, 'm'));
    }
  });

  it('takes the repository from BORG_REPO, and quotes the command that restores', async () => {
    const spaced = join(scratch, 'with space');
    const { stdout } = await succeed(['backup', source], { env: { ...env, BORG_REPO: spaced } });
    assert.ok(stdout.text.includes(`alcove extract '${spaced}::machine-`), stdout.text);
  });

  it('asks for the passphrase twice, and for nothing more', async () => {
    const { BORG_PASSPHRASE: _, ...without } = env;
    const { prompts } = await succeed(['backup', '--repo', join(scratch, 'asked'), source], {
      env: without,
      passphrases: ['typed', 'typed'],
    });
    assert.equal(prompts.length, 2);
  });

  it('says what to set where nobody can be asked, and makes nothing', async () => {
    const { BORG_PASSPHRASE: _, ...without } = env;
    const target = join(scratch, 'unasked');
    const { code, stderr } = await run(['backup', '--repo', target, source], { env: without });
    assert.equal(code, 2);
    assert.match(stderr.text, /Set BORG_PASSPHRASE, BORG_PASSCOMMAND or BORG_PASSPHRASE_FD/);
    assert.ok(!existsSync(target));
  });

  it('refuses to back up nothing but a mistyped path', async () => {
    const { code, stderr } = await run(['backup', '--repo', place, join(scratch, 'mistyped')]);
    assert.equal(code, 2);
    assert.match(stderr.text, /nothing to back up: .*mistyped does not exist/);
  });

  it('shows progress on a terminal without being asked', async () => {
    const { stderr } = await succeed(['backup', '--repo', place, source], { columns: 70 });
    const line = stderr.text.split('\r').find((part) => /^\d+ files /.test(part));
    assert.equal(line?.length, 70);
    assert.match(line, /^\d+ files {2}.* read {2}.* new {2}.*\/s {2}/);
  });
});
