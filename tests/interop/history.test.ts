/** The history of repositories that the reference wrote, also as an attacker, and rollbacks that it goes on from. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noise } from '../noise.ts';
import { Workspace } from '../workspace.ts';

const fakeSsh = fileURLToPath(new URL('../remote/fake-ssh', import.meta.url));
const reference = process.env['ALCOVE_REFERENCE_BORG']!;
const YES = { ALCOVE_ROLLBACK_I_KNOW_WHAT_I_AM_DOING: 'YES' };

interface Transaction {
  readonly transaction: number;
  readonly time_source: string;
  readonly complete: boolean;
  readonly changes: Record<'added' | 'removed' | 'changed', string[]> & { renamed: unknown[] };
}

function historyOf(space: Workspace, ...options: string[]): Transaction[] {
  const { stdout } = space.alcove(['history', '--json', ...options, space.join('repo')]);
  return (JSON.parse(stdout) as { transactions: Transaction[] }).transactions;
}

const archives = (space: Workspace, program: 'alcove' | 'borg') =>
  space[program](['list', '--short', '--sort-by', 'name', space.join('repo')])
    .stdout.split('\n')
    .filter(Boolean);

/** The reference makes a repository with two archives. */
function make(encryption: string, ...initOptions: string[]): Workspace {
  const space = new Workspace({ BORG_RSH: fakeSsh });
  mkdirSync(space.join('bin'));
  symlinkSync(reference, space.join('bin/borg'));
  space.env['BORG_REMOTE_PATH'] = space.join('bin/borg');
  mkdirSync(space.join('tree'));
  writeFileSync(space.join('tree/text'), 'some text\n'.repeat(1000));
  writeFileSync(space.join('tree/noise'), noise(300_000, 1));
  space.borg(['init', '--encryption', encryption, ...initOptions, space.join('repo')]);
  space.borg(['create', `${space.join('repo')}::monday`, 'tree']);
  writeFileSync(space.join('tree/more'), noise(300_000, 2));
  space.borg(['create', `${space.join('repo')}::tuesday`, 'tree']);
  return space;
}

/** What a hacked client may do to what it can only append to. */
function attack(space: Workspace, repository: string): void {
  const env = { BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES' };
  space.borg([
    'recreate',
    '--exclude',
    '*more',
    '--recompress=always',
    '-C',
    'zlib,1',
    `${repository}::tuesday`,
  ]);
  space.borg(['rename', `${repository}::tuesday`, 'other']);
  space.borg(['create', `${repository}::forged`, 'tree/text']);
  space.borg(['prune', '--keep-last', '1', repository]);
  space.borg(['delete', `${repository}::forged`], { env });
  space.borg(['compact', '--threshold', '0', repository]);
  assert.equal(space.borg(['list', '--short', repository]).stdout, '');
}

function assertWhole(space: Workspace): void {
  const repository = space.join('repo');
  for (const program of ['borg', 'alcove'] as const) {
    space[program](['check', '--verify-data', repository]);
    const out = space.join(`out-${program}`);
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out);
    space[program](['extract', `${repository}::tuesday`], { cwd: out });
    for (const name of ['text', 'noise', 'more']) {
      assert.deepEqual(readFileSync(`${out}/tree/${name}`), readFileSync(space.join('tree', name)));
    }
  }
}

describe('after an attack on', () => {
  for (const [title, encryption, inConfig] of [
    ['an append-only repository', 'repokey-blake2', true],
    ['a repository behind "serve --append-only"', 'repokey', false],
  ] as const) {
    it(`${title} its history names what was done, and a rollback undoes it`, () => {
      using space = make(encryption, ...(inConfig ? ['--append-only'] : []));
      const repository = space.join('repo');
      const before = historyOf(space);
      const good = before.at(-1)!;
      // The attacker has a client of his own.
      const home = space.join('home');
      cpSync(home, space.join('kept-home'), { recursive: true });
      if (inConfig) attack(space, repository);
      else {
        space.env['FORCED_COMMAND'] = `${reference} serve --append-only`;
        attack(space, `ssh://host${repository}`);
        delete space.env['FORCED_COMMAND'];
      }
      const history = historyOf(space);
      assert.deepEqual(history.slice(0, before.length), before);
      const done = history.slice(before.length).map(({ changes }) => changes);
      assert.ok(done.some(({ changed }) => changed.includes('tuesday')));
      assert.ok(done.some(({ renamed }) => JSON.stringify(renamed) === '[{"from":"tuesday","to":"other"}]'));
      assert.ok(done.some(({ added }) => added.includes('forged')));
      assert.ok(done.some(({ removed }) => removed.includes('monday') && removed.includes('other')));
      assert.ok(done.some(({ removed }) => removed.includes('forged')));
      assert.ok(history.every(({ complete }) => complete));
      const sources = new Set(history.slice(before.length).map((each) => each.time_source));
      assert.deepEqual([...sources], ['log']);
      assert.deepEqual(
        historyOf(space, '--no-key').map(({ transaction }) => transaction),
        history.map(({ transaction }) => transaction),
      );
      const nonces = globSync('{repo/nonce,home/.config/borg/security/*/nonce}', { cwd: space.path });
      const marks = nonces.map((path) => readFileSync(space.join(path), 'latin1'));
      space.alcove(['rollback', '--to', String(good.transaction), repository], { env: YES });
      assert.deepEqual(
        nonces.map((path) => readFileSync(space.join(path), 'latin1')),
        marks,
      );
      for (const program of ['borg', 'alcove'] as const) {
        assert.deepEqual(archives(space, program), ['monday', 'tuesday']);
      }
      assertWhole(space);
      for (const program of ['borg', 'alcove'] as const) {
        const name = `by-${program}-${archives(space, 'borg').length}`;
        space[program](['create', `${repository}::${name}`, 'tree']);
      }
      assert.equal(archives(space, 'alcove').length, 4);
      space.borg(['config', repository, 'append_only', '0']);
      space.borg(['delete', `${repository}::monday`]);
      space.borg(['compact', '--threshold', '0', repository]);
      assertWhole(space);
    });
  }
});

describe('a rollback', () => {
  it('that was interrupted keeps the reference out until alcove has finished it', () => {
    using space = make('repokey', '--append-only');
    const config = space.join('repo/config');
    const [, first] = historyOf(space);
    const text = readFileSync(config, 'latin1').replace(/^version = 1$/m, 'version = 0');
    const folder = 'quarantine/2026-01-01T00-00-00Z';
    writeFileSync(
      config,
      `${text}\n[rollback]\ntransaction = ${first!.transaction}\nquarantine = ${folder}\n`,
    );
    const env = { BORG_EXIT_CODES: 'modern' };
    const refused = space.borg(['list', space.join('repo')], { env, accept: [16] });
    assert.match(refused.stderr, /repository version 0 is not supported by this borg version/);
    const finished = space.alcove(['history', '--no-key', space.join('repo')]);
    assert.match(finished.stderr, /A rollback to transaction \d+ was interrupted, it is being finished/);
    assert.equal(readFileSync(config, 'latin1').includes('rollback'), false);
    assert.ok(existsSync(space.join('repo', folder)));
    // This client has not been told.
    space.borg(['list', space.join('repo')], { accept: [2] });
    space.alcove(['rollback', '--to', String(first!.transaction), space.join('repo')], { env: YES });
    assert.deepEqual(archives(space, 'borg'), ['monday']);
    space.borg(['check', '--verify-data', space.join('repo')]);
  });

  it('is refused by other clients as a replay, until they forget what they knew; their nonces stay', () => {
    using space = make('repokey', '--append-only');
    const [, first] = historyOf(space);
    const other = { BORG_BASE_DIR: space.join('other'), HOME: space.join('other') };
    cpSync(space.join('home'), space.join('other'), { recursive: true });
    space.alcove(['rollback', '--to', String(first!.transaction), space.join('repo')], { env: YES });
    for (const program of ['borg', 'alcove'] as const) {
      const { stderr } = space[program](['list', space.join('repo')], { env: other, accept: [2] });
      assert.match(stderr, /is newer than repository/);
    }
    // As the guide says.
    for (const path of globSync(space.join('other/.config/borg/security/*/manifest-timestamp'))) rmSync(path);
    space.borg(['delete', '--cache-only', space.join('repo')], { env: other });
    const [nonce] = globSync(space.join('other/.config/borg/security/*/nonce'));
    const mark = readFileSync(nonce!, 'latin1');
    space.borg(['create', `${space.join('repo')}::other`, 'tree'], { env: other });
    assert.ok(readFileSync(nonce!, 'latin1') > mark);
    assert.deepEqual(archives(space, 'alcove'), ['monday', 'other']);
    space.alcove(['check', '--verify-data', space.join('repo')]);
  });

  it('goes as far back as compaction lets it', () => {
    using space = make('repokey');
    const repository = space.join('repo');
    space.borg(['delete', `${repository}::monday`]);
    // So that COMMITs stay where they are.
    space.borg(['compact', '--threshold', '60', repository]);
    space.borg(['create', `${repository}::wednesday`, 'tree']);
    space.borg(['delete', `${repository}::tuesday`]);
    const history = historyOf(space);
    assert.deepEqual([...new Set(history.map((each) => each.time_source))].toSorted(), ['file', 'manifest']);
    const offered = history.filter(({ complete }) => complete);
    assert.ok(offered.length >= 3 && offered.length < history.length, JSON.stringify(history));
    for (const { transaction, complete } of history) {
      if (complete) continue;
      const to = ['rollback', '--to', String(transaction), repository];
      const { stderr } = space.alcove(to, { env: YES, accept: [2] });
      assert.match(stderr, /compaction may have removed/);
    }
    const back = history.at(-2)!;
    space.alcove(['rollback', '--to', String(back.transaction), repository], { env: YES });
    assert.deepEqual(archives(space, 'borg'), ['tuesday', 'wednesday']);
    assertWhole(space);
  });
});
