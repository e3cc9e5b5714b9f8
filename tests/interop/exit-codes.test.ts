import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { EXIT_ERROR } from '../../src/cli/exit-code.ts';
import { describeRow } from './twin-table.ts';
import { Twins, type TwinRun } from './twins.ts';

interface Kept {
  readonly legacy: number;
  readonly modern: number;
  readonly why: string;
}

interface WrongRow extends TwinRun {
  /** alcove's codes where they are meant to differ, and why. */
  readonly kept?: Kept;
}

const crash = (modern: number): Kept => ({
  legacy: 2,
  modern,
  why: 'Borg ends with a Python stack',
});
const lenient: Kept = { legacy: 0, modern: 0, why: 'nothing is wrong with it' };

/** `create -n OPTION VALUE REPO::new tree` for values that are wrong. */
const createWith = (option: string, ...values: string[]): WrongRow[] =>
  values.map((value) => ({ args: ['create', '-n', option, value, 'REPO::new', 'tree'] }));

const named = (...names: string[]): WrongRow[] =>
  names.map((name) => ({ args: ['create', '-n', `REPO::${name}`, 'tree'] }));

const rows: readonly (string | WrongRow)[] = [
  ...createWith('-C', 'bogus', 'zlib,10', 'zstd,0', 'lzma,x', 'auto', 'auto,bogus', 'obfuscate,7,none', ''),
  ...createWith('--chunker-params', '1,2', 'buzhash,5,23,16,4095', '23,10,16,4095', '10,24,16,4095'),
  ...createWith('--chunker-params', '10,23,16,4094', 'fixed', 'fixed,10', 'fixed,99999999', 'x,1,2,3,4', ''),
  ...createWith('--files-cache', 'bogus', 'ctime'),
  ...createWith('--files-changed', 'x'),
  ...createWith('--timestamp', 'x', '', '2020-13-01T00:00:00', '2020-12-01T00:00:00+02:00'),
  ...createWith('--pattern', 'zz', '+', '', 'P zz', '--'),
  ...createWith('--patterns-from', 'none', 'bad-patterns'),
  ...createWith('--exclude-from', 'none'),
  ...createWith('-e', 'zz:x', '-x'),
  ...createWith('-c', 'x').concat(createWith('--umask', '9'), createWith('--lock-wait', 'x')),
  ...createWith('--stdin-mode', '8').concat(createWith('--upload-ratelimit', 'x')),
  ...named('', 'a/b', 'a::b', '{nope}', '{0}', '{now.bogus}', '{now:%Q}'),
  'create -n REPO tree',
  'create -n --filter A --filter B REPO::new tree',
  'create -n --list=x REPO::new tree',
  'create -n --nonsense REPO::new tree',
  'create -n --excl x REPO::new tree',
  'create -n --stats --quick-stats REPO::new tree',
  'create -n REPO::new',
  'create -n --paths-from-stdin REPO::new tree',
  'create -n --content-from-command REPO::new',
  'create --content-from-command REPO::new false',
  'create --paths-from-command REPO::new false',
  'create --paths-from-command REPO::new no-such-command',
  'create --bypass-lock REPO::new tree',
  'create REPO::one tree',
  'create -n REPO::new none',
  'create',
  '--nonsense list REPO',
  'nonsense',
  'key nonsense',
  'help nonsense',
  'list',
  'init -e none',
  'init REPO',
  'init -e nonsense OWN/new',
  'init -e none REPO',
  'init -e none REPO::archive',
  'init -e none --storage-quota 1M OWN/new',
  'list REPO::none',
  'list --first 0 REPO',
  'list --first 1 --last 1 REPO',
  'list -P a -a b REPO',
  'list --sort-by nonsense REPO',
  'list --json-lines REPO',
  'list --json REPO::one',
  'list tree',
  'list tree/a.txt',
  'list OWN/none',
  'list OWN/other-version',
  'compact OWN/other-version',
  'list OWN/no-config',
  'list OWN/no-manifest',
  'info REPO::one extra',
  'extract REPO',
  'extract -n REPO::none',
  'extract -n REPO::one nothing',
  'extract -n --strip-components x REPO::one',
  'compact --threshold x REPO',
  'compact REPO::one',
  'delete REPO::none',
  'delete REPO::one --first 1',
  'delete OWN/none',
  'delete --cache-only OWN/none',
  'break-lock tree',
  'key export OWN/plain',
  'key import OWN/plain tree/a.txt',
  'key change-passphrase OWN/plain',
  'key import REPO tree/a.txt',
  'key import REPO',
  'key import --paper REPO x',
  'key export REPO tree',
  'version --nonsense',
  { args: 'list REPO', env: { BORG_PASSPHRASE: 'wrong' } },
  { args: 'create REPO::new tree', env: { BORG_PASSPHRASE: 'wrong' } },
  { args: 'list REPO', env: { BORG_PASSPHRASE: undefined } },
  { args: 'list REPO', env: { BORG_PASSPHRASE: undefined, BORG_PASSCOMMAND: 'false' } },
  { args: 'list REPO', env: { BORG_PASSPHRASE: undefined, BORG_PASSCOMMAND: 'no-such-command' } },
  { args: 'list OWN/keyfile', env: { BORG_KEYS_DIR: '/tmp/no-such-folder' } },
  { args: 'list OWN/keyfile', env: { BORG_KEY_FILE: '/tmp/no-such-file' }, kept: crash(42) },
  { args: 'list OWN/keyfile', env: { BORG_KEY_FILE: 'tree/a.txt' } },
  { args: 'list OWN/unknown', env: { BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'no' } },
  { args: 'list REPO', unprivileged: true },
  { args: 'create REPO::new tree', unprivileged: true },
  { args: 'break-lock REPO', unprivileged: true },
  { args: 'delete REPO', env: { BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'NO' } },
  { args: ['create', '-n', '-e', 're:(', 'REPO::new', 'tree'] },
  { args: ['create', '-n', 'REPO::{now', 'tree'] },
  { args: ['list', 'REPO::one', 're:('], kept: crash(4) },
  { args: ['list', '--format', '{nonsense}', 'REPO'], kept: crash(6) },
  { args: 'list OWN/bad-id', kept: crash(16) },
  { args: 'init -e none OWN/closed/new', unprivileged: true, kept: crash(21) },
  { args: 'init -e none --import-related-secrets none OWN/new', kept: crash(4) },
  { args: 'create -n REPO::new tree --list tree', kept: lenient },
  { args: 'help key export', kept: lenient },
];

async function setUp(twins: Twins): Promise<void> {
  const at = (...parts: string[]) => join(twins.shared, ...parts);
  mkdirSync(at('tree'));
  writeFileSync(at('tree/a.txt'), 'hello\n');
  writeFileSync(at('bad-patterns'), 'nonsense\n');
  for (const args of ['init -e repokey REPO', 'init -e keyfile OWN/keyfile', 'init -e none OWN/plain']) {
    await twins.runOne('borg', { args });
  }
  await twins.runOne('borg', { args: 'create REPO::one tree' });
  const folder = twins.folder('borg');
  const env = { BORG_BASE_DIR: join(folder, 'elsewhere') };
  const config = (name: string) => join(folder, name, 'config');
  for (const name of ['other-version', 'no-config', 'bad-id', 'unknown', 'no-manifest']) {
    await twins.runOne('borg', { args: `init -e none OWN/${name}`, env });
  }
  const edit = (name: string, from: RegExp, to: string) =>
    writeFileSync(config(name), readFileSync(config(name), 'utf8').replace(from, to));
  edit('other-version', /^version = 1/m, 'version = 2');
  edit('bad-id', /^id = .*/m, 'id = zz');
  rmSync(config('no-config'));
  await twins.runOne('borg', { args: 'debug delete-obj OWN/no-manifest ' + '0'.repeat(64), env });
  mkdirSync(join(folder, 'closed'));
  cpSync(folder, twins.folder('alcove'), { recursive: true, preserveTimestamps: true });
  for (const path of [twins.shared, join(twins.shared, '..')]) chmodSync(path, 0o755);
  twins.each((own) => {
    chmodSync(own, 0o755);
    execFileSync('chmod', ['-R', 'a+rwX', join(own, 'home')]);
  });
  // Each is to know where its repositories are.
  for (const name of ['repo', 'keyfile', 'plain']) await twins.run({ args: `list OWN/${name}` });
}

describe('exit codes of what is wrong', () => {
  const twins = new Twins();
  before(() => setUp(twins));
  after(() => twins[Symbol.dispose]());
  for (const given of rows) {
    const row: WrongRow = typeof given === 'string' ? { args: given } : given;
    it(`${describeRow(row)}: are Borg's, old and modern${row.kept === undefined ? '' : `, but ${row.kept.why}`}`, async () => {
      const old = await twins.runOne('alcove', row);
      const specific = { ...row, env: { ...row.env, BORG_EXIT_CODES: 'modern' } };
      const { alcove, borg } = await twins.run(specific);
      // What has no code of its own has the same in both numberings.
      const borgsOld = borg.status === EXIT_ERROR ? borg : await twins.runOne('borg', row);
      const { legacy, modern } = row.kept ?? { legacy: borgsOld.status, modern: borg.status };
      const ours = { legacy: old.status, modern: alcove.status };
      assert.deepEqual(ours, { legacy, modern }, old.stderr + borg.stderr);
      if (row.kept !== undefined) assert.notEqual(borg.status, modern, 'no difference any more');
      assert.doesNotMatch(old.stderr, /^ {4}at |Internal error/m);
    });
  }
});
