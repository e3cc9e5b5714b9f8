/** Every command on a repository that the reference's server keeps, by this program and by the reference's client. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAKE_SSH } from '../remote/remote-place.ts';
import { compareTwins, type TwinRow } from './twin-table.ts';
import type { Twins } from './twins.ts';

const server = {
  BORG_RSH: FAKE_SSH,
  BORG_REMOTE_PATH: process.env['ALCOVE_REFERENCE_BORG'] ?? '',
  BORG_EXIT_CODES: 'modern',
  BORG_SELFTEST: 'disabled',
  BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES',
};

const OWN_WORDS = 'help and advice are in words of its own';

function setUp(twins: Twins): void {
  const tree = join(twins.shared, 'tree');
  mkdirSync(join(tree, 'folder'), { recursive: true });
  for (const name of ['a', 'b', 'folder/c']) writeFileSync(join(tree, name), `${name} `.repeat(3000));
}

const rows: readonly (string | TwinRow)[] = [
  'list host:REPO',
  'init --encryption none host:OWN/missing/repo',
  { args: 'init --encryption repokey host:REPO', kept: { stderr: OWN_WORDS } },
  'init --encryption repokey host:REPO',
  'init --encryption none --make-parent-dirs host:OWN/deep/er/repo',
  'init --encryption none --storage-quota 50k ssh://host/./OWN/quota',
  'version host:REPO',
  'create host:REPO::one tree',
  { args: 'create --list --filter AM ssh://user@host:2222/./REPO::two tree', ownFolder: '..' },
  'create host:REPO::one tree',
  'list host:REPO',
  'list --short host:REPO::one',
  'list host:REPO::missing',
  'list --json-lines host:REPO::one',
  'info --json host:REPO::one',
  'extract --dry-run --list host:REPO::one',
  { args: 'extract --list host:REPO::one', ownFolder: '.' },
  'diff host:REPO::one two',
  'export-tar host:REPO::one OWN/one.tar',
  'import-tar host:REPO::three OWN/one.tar',
  'rename host:REPO::three renamed',
  'recreate --exclude tree/a host:REPO::renamed',
  'check -v host:REPO',
  'check --repository-only --max-duration 20 host:REPO',
  { args: 'check --repair host:REPO', kept: { stderr: OWN_WORDS } },
  'check --archives-only --info host:REPO',
  'prune --list --keep-last 2 host:REPO',
  'delete host:REPO::renamed',
  'delete host:REPO::missing',
  'compact host:REPO',
  'key export host:REPO OWN/key',
  'key import host:REPO OWN/key',
  {
    args: 'key change-passphrase host:REPO',
    env: { BORG_NEW_PASSPHRASE: 'other' },
    kept: { stderr: OWN_WORDS },
  },
  'list --short host:REPO',
  { args: 'list --short host:REPO', env: { BORG_PASSPHRASE: 'other' } },
  {
    args: 'key change-passphrase host:REPO',
    env: { BORG_PASSPHRASE: 'other', BORG_NEW_PASSPHRASE: 'twins' },
    kept: { stderr: OWN_WORDS },
  },
  { args: 'config --list host:REPO', kept: { stderr: OWN_WORDS } },
  'with-lock host:REPO true',
  'with-lock host:REPO false',
  'debug put-obj host:REPO 00000000000000000000000000000000000000000000000000000000000000ff tree/a',
  'debug get-obj host:REPO 00000000000000000000000000000000000000000000000000000000000000ff OWN/object',
  'debug get-obj host:REPO 00000000000000000000000000000000000000000000000000000000000000ee OWN/object',
  'debug delete-obj host:REPO 00000000000000000000000000000000000000000000000000000000000000ff',
  'debug delete-obj host:REPO 00000000000000000000000000000000000000000000000000000000000000ff',
  'upgrade --check-tam host:REPO',
  'break-lock host:REPO',
  'create --upload-ratelimit 1000 --upload-buffer 2 host:REPO::four tree',
  'create --remote-ratelimit 1000 host:REPO::five tree',
  'list --rsh false host:REPO',
  'list --remote-path /nonexistent/borg host:REPO',
  { args: 'list host:REPO', env: { BORG_REMOTE_PATH: 'echo unexpected words #' } },
  'list --lock-wait 0 --log-json host:OWN/missing',
  'create --log-json --progress --stats host:REPO::six tree',
  'delete --force host:REPO',
  'list host:REPO',
];

compareTwins({
  title: "the reference's server",
  setUp,
  ownArchives: true,
  rows: rows.map((given) => {
    const row = typeof given === 'string' ? { args: given } : given;
    return { ...row, env: { ...server, ...row.env } };
  }),
});
