import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { compareTwins, type TwinRow } from './twin-table.ts';
import type { Twins } from './twins.ts';

const modern = { BORG_EXIT_CODES: 'modern' };
const nested = 'Borg gives progress inside of other progress as log lines without msgid';
const stack = 'Borg ends with a Python stack';

const itemKeys =
  'type mode uid gid user group path bpath source linktarget flags size csize dsize dcsize num_chunks unique_chunks mtime ctime atime isomtime isoctime isoatime sha256 md5 blake2b xxh64 archiveid archivename extra health hlid'
    .split(' ')
    .map((key) => `{${key}}`)
    .join('');

/** One repository made by the reference, and then copied: both have the same ids, times and sizes. */
async function setUp(twins: Twins): Promise<void> {
  const at = (...parts: string[]) => join(twins.shared, ...parts);
  mkdirSync(at('tree/sub/deep'), { recursive: true });
  writeFileSync(at('tree/a.txt'), 'hello\n');
  linkSync(at('tree/a.txt'), at('tree/hard'));
  symlinkSync('a.txt', at('tree/link'));
  writeFileSync(at('tree/sub/b.txt'), 'abc\n');
  writeFileSync(at('tree/zeros'), Buffer.alloc(3_000_000));
  writeFileSync(at('tree/quo"te\\ {now}'), 'q');
  writeFileSync(Buffer.concat([Buffer.from(at('tree/')), Buffer.from([0xe9, 0xff])]), 'x');
  execFileSync('mkfifo', [at('tree/fifo')]);
  execFileSync('mknod', [at('tree/null'), 'c', '1', '3']);
  execFileSync('setfattr', ['-n', 'user.x', '-v', 'y', at('tree/a.txt')]);
  const borg = async (...args: string[]) => {
    const { status, stderr } = await twins.runOne('borg', { args });
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  };
  await borg('init', '-e', 'repokey', 'REPO');
  for (const month of ['01', '02', '03']) {
    const timestamp = `2021-${month}-05T06:07:08`;
    await borg('create', '--timestamp', timestamp, '--comment', `c ${month}`, `REPO::a${month}`, 'tree');
  }
  await borg('create', '--timestamp', '2021-05-05T06:07:08', 'REPO::b1', 'tree/sub');
  await borg('create', '--timestamp', '2021-05-06T06:07:08', 'REPO::b2.checkpoint', 'tree/sub');
  await borg(
    'create',
    '-C',
    'zstd,3',
    '--chunker-params',
    'fixed,4096',
    'REPO::u-ü',
    'tree/a.txt',
    'tree/sub',
  );
  cpSync(twins.folder('borg'), twins.folder('alcove'), { recursive: true, preserveTimestamps: true });
  twins.each((folder) => {
    for (const name of ['x', 'in-the-way']) mkdirSync(join(folder, name));
    mkdirSync(join(folder, 'in-the-way/tree/a.txt/full'), { recursive: true });
    chmodSync(folder, 0o755);
  });
  // Both get to know the place where they find the repository now.
  await twins.run({ args: 'info REPO' });
}

const inX = (args: string, more: Partial<TwinRow> = {}): TwinRow => ({ args, ownFolder: 'x', ...more });

compareTwins({
  title: 'list, info, extract',
  setUp,
  ownArchives: false,
  rows: [
    'list REPO',
    'list --short REPO',
    'list --json REPO',
    'list --json-lines REPO',
    'list --json REPO::a01',
    'list --prefix a REPO',
    'list -P a --log-json --error REPO',
    'list -a a* REPO',
    'list --glob-archives sh:b* REPO',
    'list --first 2 REPO',
    'list --last 1 REPO',
    'list --sort-by name REPO',
    'list --sort-by timestamp,id --short REPO',
    'list --consider-checkpoints --json REPO',
    {
      args: [
        'list',
        '--format',
        '{archive:<10}{TAB}{comment}|{id}|{start}|{time}|{end}|{hostname}|{username}|{tam}|{command_line}|{barchive}|{name}|{bcomment}{NL}',
        'REPO',
      ],
    },
    'list --json --format {comment}{tam}{hostname}{username}{end}{command_line} REPO',
    { args: 'list --format {nonsense} REPO', kept: { stderr: stack } },
    { args: 'list --format {archive REPO', kept: { stderr: stack } },
    'list REPO::a01',
    'list --short REPO::a01',
    'list --json-lines REPO::a01',
    `list --json-lines --format ${itemKeys} REPO::a01`,
    'list --format {mode}|{user:6}|{group:>6}|{size:8}|{dsize}|{csize}|{dcsize}|{num_chunks}|{unique_chunks}|{mtime}|{isomtime}|{path}{extra}{NL} REPO::u-ü',
    'list --format {type}{uid}{gid}{source}{linktarget}{flags}{health}{sha1}{sha224}{sha384}{sha512}{sha3_256}{blake2s}{path}{NUL}{NEWLINE}{CR}{SPACE} REPO::a01',
    'list REPO::a01 tree/sub re:txt$ nothing',
    'list REPO::a01 -e tree/sub --pattern -tree/z*',
    { args: 'list --log-json --show-rc REPO::none', env: modern },
    '--show-version list --short REPO',
    'list --info --show-rc --bypass-lock --lock-wait 3 --debug-topic x --consider-part-files --umask 0022 REPO',
    { args: 'list', env: { BORG_REPO: '/nowhere' } },
    { args: 'list --short REPO', env: { TZ: 'America/New_York' } },
    { args: 'list --json REPO', env: { TZ: 'Asia/Kolkata' } },
    'list REPO tree',
    'info REPO',
    'info --json REPO',
    'info REPO::a01',
    'info --json REPO::a01',
    { args: 'info --last 2 REPO', env: { TZ: 'Asia/Kolkata' } },
    'info --json -P a REPO',
    'info -a b* --sort-by name --iec REPO',
    'info -a zz* REPO',
    'info --json -a zz* REPO',
    { args: 'info --log-json REPO::none', env: modern },
    inX('extract --list REPO::a01'),
    inX('extract -v REPO::a01 tree/sub'),
    inX('extract --log-json REPO::a01 nothing', { env: modern }),
    inX('extract --dry-run --list REPO::a01'),
    inX('extract --stdout REPO::a01 tree/a.txt'),
    inX('extract --stdout --list REPO::a01 tree/hard tree/sub'),
    inX('extract --strip-components 1 --list REPO::a01'),
    inX('extract --strip-components 9 --list REPO::a01'),
    inX('extract --progress REPO::a01'),
    inX('extract --progress --log-json --list REPO::a01'),
    inX('extract --progress --dry-run REPO::a01 tree/sub', {
      kept: { stderr: 'Borg ends the progress twice' },
    }),
    inX('extract --sparse --numeric-ids --noacls --noxattrs --noflags REPO::a01'),
    inX('extract --numeric-owner --nobsdflags --log-json REPO::a01'),
    inX('extract --list REPO::a01 -e tree/sub --pattern +tree/a* --pattern -tree'),
    inX('extract --list REPO::a01 --exclude re:txt'),
    inX('extract --show-rc --debug-topic extract REPO::a01'),
    inX('extract REPO::a01', { env: modern, unprivileged: true, kept: { stderr: stack } }),
    {
      args: 'extract --list REPO::a01',
      ownFolder: 'in-the-way',
      env: modern,
      kept: { stderr: 'alcove names the path below the folder it extracts into' },
    },
    { args: 'list REPO', env: { BORG_WORKAROUNDS: 'retry_erofs' } },
    'version REPO',
    { args: 'version', kept: { stderr: 'alcove says below the error how to name a repository' } },
  ],
});

compareTwins({
  title: 'delete, compact, break-lock, key',
  setUp,
  ownArchives: false,
  rows: [
    'delete -n --list REPO::a01',
    'delete --dry-run --list -a a* REPO',
    { args: 'delete --list REPO::none', env: modern },
    { args: 'delete REPO none a01 --list', env: modern },
    'delete --list --stats --keep-security-info --save-space REPO::b1',
    { args: 'delete --stats --list --log-json --progress REPO::a02', kept: { stderr: nested } },
    'delete -P zzz REPO',
    'delete --last 1 --list -v REPO',
    'delete --force REPO::none',
    'delete --force --force REPO::none',
    'list --consider-checkpoints REPO',
    'delete --cache-only REPO',
    'info --progress REPO',
    'compact -n REPO',
    'compact --progress --log-json -v --threshold 0 REPO',
    'compact -v --cleanup-commits REPO',
    'compact REPO',
    'break-lock REPO',
    {
      args: 'list --lock-wait 0 --log-json REPO',
      env: modern,
      prepare: (twins) =>
        twins.each((folder) => {
          mkdirSync(join(folder, 'repo/lock.exclusive'));
          writeFileSync(join(folder, 'repo/lock.exclusive/other@1.99-0'), '');
        }),
    },
    'list --short --bypass-lock REPO',
    { args: 'delete --lock-wait 0 REPO::a03', env: modern },
    'break-lock REPO',
    'list --short REPO',
    'key export REPO OWN/key',
    'key export REPO',
    { args: 'key export REPO x', ownFolder: '.', env: modern },
    'key import REPO OWN/key',
    { args: 'key import REPO x/none', ownFolder: '.', env: modern },
    { args: 'key import REPO -', input: 'garbage', env: modern },
    { args: 'key import REPO', env: modern },
    { args: 'key change-passphrase REPO', env: { BORG_NEW_PASSPHRASE: 'new' } },
    { args: 'key change-passphrase -v REPO', env: { BORG_PASSPHRASE: 'new', BORG_NEW_PASSPHRASE: 'twins' } },
    {
      args: 'key change-passphrase REPO',
      env: { ...modern, BORG_PASSPHRASE: 'old', BORG_NEW_PASSPHRASE: 'x' },
    },
    {
      args: 'delete REPO',
      env: { ...modern, BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'NO' },
      kept: { stderr: 'the question has words of its own' },
    },
    {
      args: 'delete --log-json REPO',
      env: { ...modern, BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: undefined },
      input: 'no\n',
      kept: { stderr: 'the question has words of its own' },
    },
    { args: 'delete REPO', kept: { stderr: 'the question has words of its own' } },
    'list REPO',
    {
      args: 'init -e keyfile new',
      ownFolder: '.',
      kept: { stderr: 'the advice about the key has words of its own' },
    },
    {
      args: 'list --json new',
      ownFolder: '.',
      kept: { stdout: 'ids and times of two repositories' },
      prepare: (twins) =>
        twins.each((folder) => {
          const keys = join(folder, 'home/.config/borg/keys');
          renameSync(join(keys, 'new'), join(keys, 'renamed'));
        }),
    },
  ],
});
