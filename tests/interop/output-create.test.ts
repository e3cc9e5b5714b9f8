import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { compareTwins } from './twin-table.ts';
import type { Twins } from './twins.ts';
import { noise } from '../noise.ts';

const modern = { BORG_EXIT_CODES: 'modern' };

function makeTree({ shared }: Twins): void {
  const at = (...parts: string[]) => join(shared, ...parts);
  for (const folder of ['tree/sub/deep', 'tree/cache', 'tree/tagged', 'special', 'src/a/b', 'closed']) {
    mkdirSync(at(folder), { recursive: true });
  }
  writeFileSync(at('tree/a.txt'), 'hello\n');
  linkSync(at('tree/a.txt'), at('tree/hard'));
  symlinkSync('a.txt', at('tree/link'));
  writeFileSync(at('tree/sub/b.txt'), 'abc\n');
  writeFileSync(at('tree/zeros'), Buffer.alloc(3_000_000));
  writeFileSync(at('tree/sp ace'), '');
  writeFileSync(Buffer.concat([Buffer.from(at('tree/')), Buffer.from([0xe9, 0xff])]), 'x');
  writeFileSync(at('tree/cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55');
  writeFileSync(at('tree/cache/x'), 'x');
  writeFileSync(at('tree/tagged/.nobackup'), '');
  writeFileSync(at('tree/tagged/y'), 'y');
  execFileSync('mkfifo', [at('tree/fifo')]);
  execFileSync('mknod', [at('special/null'), 'c', '1', '3']);
  symlinkSync('null', at('special/to-null'));
  symlinkSync('nowhere', at('special/broken'));
  writeFileSync(at('src/a/b/q'), 'q');
  writeFileSync(at('closed/unreadable'), 'u');
  writeFileSync(at('closed/readable'), 'r');
  mkdirSync(at('closed/folder'));
  chmodSync(at('closed/unreadable'), 0);
  chmodSync(at('closed/folder'), 0);
  writeFileSync(at('growing'), noise(30_000_000, 1));
  writeFileSync(at('patterns'), '# note\nP sh\n- **/b.txt\nR tree/sub\n');
  writeFileSync(at('excludes'), '*.txt\nsh:tree/cache/*\n');
  utimesSync(at('tree/a.txt'), 1_600_000_000, 1_600_000_000);
  chmodSync(shared, 0o755);
  chmodSync(join(shared, '..'), 0o755);
}

/** Everybody may use the repositories and homes. */
function open(twins: Twins): void {
  twins.each((folder) => execFileSync('chmod', ['-R', 'a+rwX', folder]));
}

let growth: ChildProcess | undefined;

/** Until it is stopped, or for a minute. */
function grow({ shared }: Twins): void {
  const script = `for i in $(seq 3000); do echo x >> growing; sleep 0.02; done`;
  growth = spawn('sh', ['-c', script], { cwd: shared, stdio: 'ignore' });
}

function stopGrowing(): void {
  growth?.kill('SIGKILL');
}

compareTwins({
  title: 'init and create',
  setUp: makeTree,
  ownArchives: true,
  rows: [
    { args: 'init -e repokey REPO', kept: { stderr: 'the advice about the key has words of its own' } },
    'init -e repokey REPO',
    'init -v -e none OWN/second',
    { args: 'init -v -e none third', ownFolder: '.' },
    { args: 'init -e none third', ownFolder: '.', env: modern },
    'init --log-json -v --show-rc -e none --append-only --storage-quota 1G OWN/fourth',
    'init -e none OWN/no/such/parent',
    'init -e none --make-parent-dirs OWN/no/such/parent',
    'init -e none tree',
    { args: 'list --json third', ownFolder: '.' },
    'create REPO::one tree',
    'create --list REPO::two tree',
    'create --list --filter AM REPO::three tree',
    'create --stats REPO::four tree',
    'create --quick-stats --iec REPO::five tree',
    'create --json REPO::six tree',
    'create --json --quick-stats --list REPO::seven tree',
    'create --log-json --list --stats -v --show-rc REPO::eight tree',
    'create --log-json --progress REPO::nine tree src',
    'create -v --show-rc --show-version REPO::ten tree',
    'create -n --list REPO::x tree',
    'create -n --list --stats REPO::x tree',
    'create --list --exclude-caches REPO::e1 tree',
    'create --list --exclude-caches --keep-exclude-tags REPO::e2 tree',
    'create --list --exclude-if-present .nobackup --keep-exclude-tags REPO::e3 tree',
    'create --list --log-json --exclude-if-present .nobackup REPO::e4 tree',
    'create --list -e *.txt REPO::p0 tree',
    'create --list --pattern -x --pattern -tree/sub REPO::p1 tree',
    { args: ['create', '--list', '--pattern', '- tree/sub', '--pattern', '+x', 'REPO::p2', 'tree'] },
    { args: ['create', '--list', '--pattern', '! tree/sub', 'REPO::p3', 'tree'] },
    { args: ['create', '--list', '--pattern', 'R tree/sub', 'REPO::p4'] },
    'create --list --patterns-from patterns REPO::p5 src',
    'create --list --exclude-from excludes REPO::p6 tree',
    'create --list -e re:b\\.t -e pf:tree/a.txt -e pp:tree/cache -e sh:tree/*/y -e fm:*zeros REPO::p7 tree',
    {
      args: [
        'create',
        '--list',
        '--pattern',
        '+ tree/sub/b.txt',
        '--pattern',
        '- tree/**',
        'REPO::p8',
        'tree',
      ],
    },
    'create --list REPO::missing nowhere tree/a.txt',
    { args: 'create --list --log-json --show-rc REPO::missing2 nowhere', env: modern },
    'create REPO::one tree',
    { args: 'create --log-json REPO::one tree', env: modern },
    { args: 'create --list REPO::stdin -', input: 'data' },
    {
      args: 'create --list --stdin-name n --stdin-user daemon --stdin-group nogroup --stdin-mode 0600 REPO::stdin2 -',
      input: 'data',
    },
    ['stdin', 'stdin2'].map((name) => `list --format {mode}|{user}|{group}|{size}|{path}{NL} REPO::${name}`),
    'create --list --content-from-command REPO::command -- echo hi',
    { args: 'create --content-from-command REPO::command2 -- false', env: modern },
    {
      args: 'create --list --paths-from-stdin REPO::paths',
      input: 'tree/a.txt\ntree/sub\nnone\n',
      env: modern,
    },
    {
      args: 'create --list --paths-from-stdin --paths-delimiter \\0 REPO::paths2',
      input: 'tree/a.txt\0tree/sub',
    },
    'create --list --paths-from-command REPO::paths3 -- echo tree/a.txt',
    {
      args: [
        'create',
        '--list',
        '--paths-from-command',
        'REPO::paths4',
        '--',
        'sh',
        '-c',
        'echo tree/a.txt; exit 2',
      ],
    },
    {
      args: [
        'create',
        '--comment',
        'hé {now:%Y}',
        '--timestamp',
        '2021-05-06T07:08:09',
        'REPO::{now}',
        'src',
      ],
    },
    'create --timestamp tree/a.txt REPO::{now:%Y-%m}-{utcnow:%H}-{hostname}-{user}-{borgversion} src',
    {
      args: 'create --timestamp 2022-02-02T22:00:00 REPO::{now:%d_%H}-{utcnow:%d_%H} src',
      env: { TZ: 'Asia/Tokyo' },
    },
    'list --short REPO',
    { args: ['list', '--last', '3', '--format', '{archive}|{comment}|{start}|{end}{NL}', 'REPO'] },
    'create --list --files-cache mtime,size REPO::f1 tree',
    'create --list --files-cache mtime,size REPO::f2 tree',
    'create --list --files-cache disabled REPO::f3 tree',
    'create --list --files-cache rechunk,ctime REPO::f4 tree',
    'create --list --files-cache size REPO::f5 tree',
    {
      prepare: ({ shared }: Twins) => appendFileSync(join(shared, 'tree/sub/b.txt'), 'more'),
      args: 'create --list --filter AMU REPO::f6 tree',
    },
    { args: 'create --list --filter AMU REPO::f7 tree', env: { BORG_FILES_CACHE_SUFFIX: 'other' } },
    { args: 'create --list --filter AMU REPO::f8 tree', env: { BORG_FILES_CACHE_TTL: '1' } },
    'create --list --chunker-params fixed,4096 --sparse REPO::sparse tree',
    'create --exclude-dataless --exclude-nodump --noacls --noxattrs --noflags --noctime --nobirthtime --atime REPO::m tree',
    'create --no-cache-sync --stats REPO::adhoc tree',
    { args: 'create --noatime --numeric-owner --nobsdflags --log-json REPO::old tree' },
    'create --debug-topic x --umask 0007 --lock-wait 2 REPO::common tree',
    'create --bypass-lock REPO::bypass tree',
    'create --list --read-special REPO::special special',
    'create --list REPO::special2 special',
    'list --format {path}|{type}|{size}|{mode}|{source}{NL} REPO::special',
    'create --list REPO::slashdot src/./a/b ./src/../src/a',
    'create --list REPO::twice tree/a.txt tree/a.txt',
    { args: 'create --list REPO::closed closed', unprivileged: true, prepare: open },
    {
      args: 'create --list --log-json --show-rc REPO::closed2 closed',
      env: modern,
      unprivileged: true,
      prepare: open,
    },
    { args: 'create --list REPO::closed3 closed nowhere', env: modern, unprivileged: true, prepare: open },
    {
      args: 'create --list --paths-from-stdin REPO::closed4',
      input: 'closed/unreadable\nclosed/folder\nclosed/readable\nnowhere\n',
      env: modern,
      unprivileged: true,
      prepare: open,
    },
    { args: 'list --format {path}|{size}{NL} REPO::closed2', prepare: open },
    {
      args: 'create --list REPO::no-permission tree',
      env: { BORG_BASE_DIR: '/root/none' },
      unprivileged: true,
      kept: { stderr: `the path that fails first` },
    },
    {
      args: 'create --list --log-json REPO::growing growing',
      env: modern,
      prepare: grow,
      verify: stopGrowing,
    },
    { args: 'create -C lzma,6 -c 1 --files-cache disabled REPO::parts growing' },
    'list --short REPO::parts',
    '--critical create REPO::quiet nowhere',
    '--critical --show-rc create REPO::quiet2 nowhere',
    '--error create --log-json REPO::quiet3 nowhere',
    { args: 'create --list REPO::wrong tree', env: { ...modern, BORG_PASSPHRASE: 'wrong' } },
  ].flat(),
});
