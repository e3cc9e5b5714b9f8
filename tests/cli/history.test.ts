/** "history" and "rollback" at the command line. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { main } from '../../src/cli/main.ts';
import { fakeIo, type FakeIo, type FakeOptions } from './fake-io.ts';
import { schema } from './json-output.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-history-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const home = join(scratch, 'home');
const env = {
  BORG_BASE_DIR: home,
  TZ: 'UTC',
  BORG_PASSPHRASE: 'history',
  BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
};
const YES = { ...env, ALCOVE_ROLLBACK_I_KNOW_WHAT_I_AM_DOING: 'YES' };
const repository = join(scratch, 'repository');
const saved = join(scratch, 'saved');

async function run(argv: string[], options: FakeOptions = {}): Promise<FakeIo & { code: number }> {
  const io = fakeIo(argv, { cwd: scratch, env, ...options });
  return Object.assign(io, { code: await main(io) });
}

async function succeed(argv: string[], options: FakeOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options);
  assert.equal(code, 0, stderr.text);
  return stdout.text;
}

/** The state as before() has made it. */
function restore(): void {
  rmSync(repository, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
  cpSync(join(saved, 'repository'), repository, { recursive: true, preserveTimestamps: true });
  cpSync(join(saved, 'home'), home, { recursive: true, preserveTimestamps: true });
}

interface Transaction {
  readonly transaction: number;
  readonly time: string;
  readonly time_source: string;
  readonly complete: boolean;
  readonly archives: number | null;
  readonly manifest_problem: string | null;
  readonly changes: unknown;
}

async function historyOf(...options: string[]): Promise<Transaction[]> {
  const document: unknown = JSON.parse(await succeed(['history', '--json', ...options, repository]));
  const validate = schema('history');
  assert.ok(validate(document), JSON.stringify(validate.errors));
  assert.ok(!validate({ ...(document as object), more: 1 }));
  return (document as { transactions: Transaction[] }).transactions;
}

const archives = (options: FakeOptions = {}) => succeed(['list', '--short', repository], options);
const contents = (folder: string) =>
  globSync('**', { cwd: folder })
    .toSorted()
    .map((name) => [
      name,
      /data|index|config|nonce/.test(name) && name.includes('.')
        ? readFileSync(join(folder, name), 'hex')
        : '',
    ]);

before(async () => {
  mkdirSync(join(scratch, 'tree'));
  writeFileSync(join(scratch, 'tree/file'), 'contents of a file\n'.repeat(100));
  await succeed(['init', '-e', 'repokey', '--append-only', repository]);
  await succeed(['create', '--timestamp', '2026-11-16T01:00:00', `${repository}::monday`, 'tree']);
  await succeed(['create', '--timestamp', '2026-11-17T01:00:00', `${repository}::tuesday`, 'tree']);
  await succeed(['rename', `${repository}::tuesday`, 'dienstag']);
  await succeed(['recreate', '--comment', 'new', `${repository}::dienstag`]);
  await succeed(['delete', `${repository}::monday`]);
  mkdirSync(saved);
  cpSync(repository, join(saved, 'repository'), { recursive: true, preserveTimestamps: true });
  cpSync(home, join(saved, 'home'), { recursive: true, preserveTimestamps: true });
});

const none = { added: [], removed: [], renamed: [], changed: [] };
const changes = [
  none,
  { ...none, added: ['monday'] },
  { ...none, added: ['tuesday'] },
  { ...none, renamed: [{ from: 'tuesday', to: 'dienstag' }] },
  { ...none, added: ['dienstag.recreate'] },
  { ...none, removed: ['dienstag.recreate'], changed: ['dienstag'] },
  { ...none, removed: ['monday'] },
];

describe('history', () => {
  it('tells what each transaction did to the archives, and when by the log of transactions', async () => {
    restore();
    const history = await historyOf();
    assert.deepEqual(
      history.map((each) => each.changes),
      changes,
    );
    assert.deepEqual(
      history.map((each) => each.archives),
      [0, 1, 2, 2, 3, 2, 1],
    );
    assert.ok(history.every((each) => each.time_source === 'log' && each.complete));
    const text = await succeed(['history', repository]);
    assert.match(text, /^Transaction +Time +From +Size +Segments +Archives\n/);
    assert.match(
      text,
      /\n +\d+ {2}Sun, 2026-11-22 13:00:\d\d {2}log {3}[\d. kB]+ {2}\d {2} *\d? *\+ monday\n/,
    );
    assert.match(text, / {2}tuesday -> dienstag\n.*\n.*, \* dienstag\n.* {2}- monday\n$/);
    const last = await succeed(['history', '--last', '2', repository]);
    assert.equal(last.split('\n').length, 4);
    assert.match(last, /, \* dienstag\n.* {2}- monday\n$/);
  });

  it('goes by the manifest without a log of transactions, and by the files without the key', async () => {
    restore();
    rmSync(join(repository, 'transactions'));
    for (const path of globSync('data/*/*', { cwd: repository }))
      utimesSync(join(repository, path), 86_400, 86_400);
    const history = await historyOf();
    assert.ok(history.every((each) => each.time_source === 'manifest' && each.time.startsWith('2026-11-22')));
    const without = await historyOf('--no-key');
    assert.ok(
      without.every((each) => each.time === '1970-01-02T00:00:00.000000' && each.time_source === 'file'),
    );
    assert.ok(without.every((each) => each.archives === null && each.changes === null));
  });

  it('needs no passphrase with --no-key, and changes nothing', async () => {
    restore();
    const before = contents(repository);
    const wrong = { env: { ...env, BORG_PASSPHRASE: 'wrong' } };
    assert.equal((await run(['history', repository], wrong)).code, 2);
    assert.match(await succeed(['history', '--no-key', repository], wrong), /\n +1 {2}Sun/);
    assert.deepEqual(contents(repository), before);
  });

  it('says of a list of archives that is not genuine that it is not', async () => {
    restore();
    const history = await historyOf();
    const last = history.at(-1)!.transaction;
    // The manifest has the segment before the COMMIT to itself.
    const { crc32 } = await import('node:zlib');
    const path = join(repository, `data/0/${last - 1}`);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
    writeFileSync(path, bytes);
    const forged = (await historyOf()).at(-1)!;
    assert.match(forged.manifest_problem!, /MAC|envelope|integrity/i);
    assert.equal(forged.changes, null);
    assert.match(await succeed(['history', repository]), /the list is not genuine: .*\n$/);
    // And one goes back behind it, but not to it.
    await succeed(['rollback', '--to', String(history[1]!.transaction), repository], { env: YES });
    assert.equal(await archives(), 'monday\n');
  });
});

describe('rollback', () => {
  it('--dry-run says what would be undone, and changes nothing', async () => {
    restore();
    const before = contents(repository);
    const { transaction } = (await historyOf())[2]!;
    const text = await succeed(['rollback', '--dry-run', '--to', String(transaction), repository]);
    assert.match(text, new RegExp(`^Would go back to transaction ${transaction} of Sun, 2026-11-22`));
    assert.match(text, /\nArchives afterwards: 2\. Changes of the list:\n {2}\+ monday\n/);
    assert.match(text, /\n {2}dienstag -> tuesday\n/);
    assert.match(text, /This client knows a newer list of archives/);
    assert.deepEqual(contents(repository), before);
    assert.equal(await archives(), 'dienstag\n');
  });

  it('takes back what was done since; backups go on, and no nonce is used again', async () => {
    restore();
    const nonceFiles = [join(repository, 'nonce'), ...globSync(join(home, '.config/borg/security/*/nonce'))];
    assert.equal(nonceFiles.length, 2);
    const nonces = nonceFiles.map((path) => readFileSync(path, 'latin1'));
    const [, first] = await historyOf();
    const text = await succeed(['rollback', '--to', String(first!.transaction), repository], { env: YES });
    assert.match(text, /\n {2}move data\/0\/\d+ .* to quarantine\//);
    assert.equal(await archives(), 'monday\n');
    assert.deepEqual(
      nonceFiles.map((path) => readFileSync(path, 'latin1')),
      nonces,
    );
    await succeed(['create', `${repository}::again`, 'tree']);
    assert.equal(await archives(), 'monday\nagain\n');
    for (const [at, path] of nonceFiles.entries()) assert.ok(readFileSync(path, 'latin1') > nonces[at]!);
    await succeed(['check', '--verify-data', repository]);
    await succeed(['extract', '--dry-run', `${repository}::monday`]);
    assert.match(
      await succeed(['check', '--list-quarantine', repository]),
      /quarantine\/\S+\/transactions {2}/,
    );
    const history = await historyOf();
    assert.deepEqual(
      history.map((each) => [each.time_source, each.archives]),
      [
        ['log', 0],
        ['log', 1],
        ['log', 2],
      ],
    );
  });

  it('holds also where a killed process has left its cache in the middle of a change', async () => {
    restore();
    const [cache] = globSync(join(home, '.cache/borg/*/'));
    const saved = join(cache!, 'txn.active');
    mkdirSync(saved);
    for (const name of ['config', 'chunks', 'files']) cpSync(join(cache!, name), join(saved, name));
    const [, first] = await historyOf();
    await succeed(['rollback', '--to', String(first!.transaction), repository], { env: YES });
    await succeed(['create', `${repository}::again`, 'tree']);
    assert.equal(await archives(), 'monday\nagain\n');
  });

  it('has other clients refuse, and one that did it without the key, until it is told with the key', async () => {
    restore();
    const other = join(scratch, 'other');
    cpSync(home, other, { recursive: true });
    const { transaction } = (await historyOf())[1]!;
    const to = ['rollback', '--to', String(transaction), repository];
    await succeed([...to, '--no-key'], { env: { ...YES, BORG_PASSPHRASE: 'wrong' } });
    for (const where of [home, other]) {
      const refused = await run(['list', repository], { env: { ...env, BORG_BASE_DIR: where } });
      assert.equal(refused.code, 2);
      assert.match(refused.stderr.text, /is newer than repository/);
    }
    const text = await succeed(to, { env: YES });
    assert.match(text, /Nothing comes after it in the repository/);
    assert.equal(await archives(), 'monday\n');
    assert.equal((await run(['list', repository], { env: { ...env, BORG_BASE_DIR: other } })).code, 2);
    assert.equal(
      await succeed(to, { env }),
      text.replace(/\n\nThis client[^]*/, '\n'),
      'nothing to ask about',
    );
  });

  it('asks, and does nothing without a YES', async () => {
    restore();
    const { transaction } = (await historyOf())[1]!;
    const before = contents(repository);
    const to = ['rollback', '--to', String(transaction), repository];
    for (const answers of [['no'], ['y'], ['']]) {
      const { code, stderr } = await run(to, { answers });
      assert.equal(code, 2);
      assert.match(stderr.text, /Type 'YES' if this is what you want/);
    }
    assert.deepEqual(contents(repository), before);
    assert.equal((await run(to, { answers: ['YES'] })).code, 0);
    assert.equal(await archives(), 'monday\n');
  });

  it('refuses what is no transaction, what compaction took away, and other machines', async () => {
    restore();
    const history = await historyOf();
    const refused = async (to: number | string, where = repository): Promise<string> => {
      const { code, stderr } = await run(['rollback', '--to', String(to), where], { env: YES });
      assert.equal(code, 2);
      return stderr.text;
    };
    assert.match(await refused(history[1]!.transaction - 1), /is not in the log/);
    assert.match(await refused('x'), /invalid int value/);
    assert.match(await refused(1, 'ssh://host/path'), /Repository must be local/);
    await succeed(['config', repository, 'append_only', '0']);
    await succeed(['compact', '--threshold', '0', repository]);
    const compacted = await historyOf();
    assert.ok(compacted.some(({ complete }) => !complete) || compacted.length < history.length);
    for (const { transaction, complete } of compacted) {
      if (!complete) assert.match(await refused(transaction), /compaction may have removed/);
    }
    assert.ok(!existsSync(join(repository, 'quarantine')));
    assert.equal(await archives(), 'dienstag\n');
  });
});
