/** One long life of a repository: every command and the common options, by both programs, who change places midway. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { listTree } from '../tree-listing.ts';
import { noise } from '../noise.ts';
import { compareTwins, type TwinRow } from './twin-table.ts';
import type { Twins } from './twins.ts';

async function setUp(twins: Twins): Promise<void> {
  const at = (...parts: string[]) => join(twins.shared, 'tree', ...parts);
  for (const folder of ['docs/old', 'src/build', 'cache', 'tagged'])
    mkdirSync(at(folder), { recursive: true });
  writeFileSync(at('docs/letter.txt'), 'Dear reader\n');
  writeFileSync(at('docs/old/ä ö.txt'), 'umlauts\n');
  writeFileSync(at('src/main.c'), 'int main;\n'.repeat(5000));
  writeFileSync(at('src/build/main.o'), noise(1_500_000));
  writeFileSync(at('cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n');
  writeFileSync(at('cache/thumbnail'), noise(10_000));
  writeFileSync(at('tagged/.nobackup'), '');
  writeFileSync(at('tagged/secret'), 'secret');
  writeFileSync(at('zeros'), Buffer.alloc(2_000_000));
  writeFileSync(at('empty'), '');
  linkSync(at('src/main.c'), at('main-link.c'));
  symlinkSync('docs/letter.txt', at('letter'));
  chmodSync(at('docs/letter.txt'), 0o640);
  writeFileSync(join(twins.shared, 'patterns'), 'P sh\n- **/*.o\n+ **/cache\n');
  writeFileSync(join(twins.shared, 'excludes'), '# these\n*/old\n');
  for (const args of ['init -e repokey REPO', 'init -e none OWN/plain']) {
    const { status, stderr } = await twins.runOne('borg', { args });
    assert.equal(status, 0, stderr);
  }
  cpSync(twins.folder('borg'), twins.folder('alcove'), { recursive: true, preserveTimestamps: true });
  for (const name of ['repo', 'plain']) await twins.run({ args: `info OWN/${name}` });
}

const inTree = (change: (tree: string) => void) => (twins: Twins) => change(join(twins.shared, 'tree'));
const later = inTree((tree) => {
  appendFileSync(join(tree, 'docs/letter.txt'), 'Yours\n');
  writeFileSync(join(tree, 'docs/new.txt'), 'new\n');
  rmSync(join(tree, 'empty'));
});

/** Each program goes on with what the other one wrote. */
function changePlaces(twins: Twins): void {
  const [alcove, borg] = [twins.folder('alcove'), twins.folder('borg')];
  renameSync(alcove, `${alcove}.aside`);
  renameSync(borg, alcove);
  renameSync(`${alcove}.aside`, borg);
}

/** An archive's tree from both, which has to be the same. */
function extract(archive: string, ...options: string[]): TwinRow {
  const ownFolder = `out-${archive}-${options.length}`;
  const folders = (twins: Twins) =>
    [twins.folder('alcove'), twins.folder('borg')].map((own) => join(own, ownFolder));
  return {
    args: ['extract', ...options, `REPO::${archive}`],
    ownFolder,
    prepare: (twins) => folders(twins).forEach((folder) => mkdirSync(folder)),
    verify: (twins) => {
      const [ours, theirs] = folders(twins).map((folder) => [readdirSync(folder), listTree(folder).slice(1)]);
      assert.deepEqual(ours, theirs);
      for (const folder of folders(twins)) rmSync(folder, { recursive: true });
    },
  };
}

const sameFile = (name: string) => (twins: Twins) => {
  const [ours, theirs] = [twins.folder('alcove'), twins.folder('borg')].map((own) =>
    readFileSync(join(own, name)),
  );
  assert.ok(ours!.equals(theirs!), `${name} differs`);
};

const item = '{mode} {user:6} {group:6} {size:8} {mtime} {path}{extra}{NL}';
const create = (name: string, options = '', paths = 'tree') =>
  `create --timestamp 2024-0${name.at(-1)}-15T10:00:00 ${options}${options === '' ? '' : ' '}REPO::${name} ${paths}`;

/** Reading, in every way. */
const look: readonly (string | TwinRow)[] = [
  'list REPO',
  'list --short REPO',
  'list --json REPO',
  'list --first 2 --sort-by name REPO',
  'list --last 1 REPO',
  'list -a day-* --short REPO',
  'list -P day --short REPO',
  'list --consider-checkpoints --short REPO',
  'list --format {archive}{TAB}{comment}{NL} REPO',
  'list REPO::day-1',
  'list --short REPO::day-1',
  'list --json-lines REPO::day-1',
  { args: ['list', '--format', item, 'REPO::day-1'] },
  { args: ['list', '--format', '{sha256} {size} {csize} {path}{NUL}', 'REPO::day-1', 'tree/docs'] },
  'list REPO::day-1 tree/docs',
  'list -e sh:**/*.o --pattern +fm:tree REPO::day-1',
  'list --exclude-from excludes REPO::day-1',
  'list --patterns-from patterns REPO::day-1',
  'list --log-json --json-lines REPO::day-1',
  'info REPO',
  'info --json REPO',
  'info --iec REPO',
  'info REPO::day-1',
  'info --json REPO::day-1',
  'info --last 1 REPO',
  'info --json --glob-archives * REPO',
  'diff REPO::day-1 day-2',
  'diff --json-lines REPO::day-1 day-2',
  'diff --sort-by size,path REPO::day-1 day-2',
  'diff --content-only --sort REPO::day-1 day-2',
  'diff --same-chunker-params REPO::day-1 day-2 tree/docs',
  'config REPO id',
  'config -l REPO',
  'key export REPO OWN/key-copy',
  'key export --paper REPO',
  'key export-related-secrets REPO OWN/secrets',
  'export-tar REPO::day-1 OWN/day-1.tar',
  { args: 'export-tar --list --strip-components 1 REPO::day-1 OWN/day-1.tar.gz' },
  'export-tar REPO::day-1 - tree/docs/letter.txt',
  'extract -n --list REPO::day-1',
  'extract --stdout REPO::day-1 tree/docs/letter.txt',
  'check REPO',
  'check -v --repository-only REPO',
  'check -v --archives-only --last 1 REPO',
  'check --verify-data REPO',
  'check -v REPO::day-1',
  'break-lock REPO',
  'debug dump-archive-items REPO::none',
  'debug refcount-obj REPO 00',
  'prune -n --list --keep-monthly 1 REPO',
  'delete -n --list REPO::day-1',
  'recreate -n --list REPO::day-1',
  'upgrade --check-tam REPO',
  'upgrade --check-archives-tam REPO',
];

/** As Vorta and its like run it. */
const frontEnds: readonly (string | TwinRow)[] = [
  {
    args: 'create --list --progress --info --log-json --json --filter=AM -C zstd,3 --exclude-if-present .nobackup --exclude-from excludes REPO::vorta-3 tree',
    kept: { stderr: 'progress of reading the cache comes before the first file, not at the first chunk' },
  },
  'list --info --log-json --json REPO',
  'list --info --log-json --json-lines --format {size}{health}{path}{mtime} REPO::vorta-3',
  'info --info --json --log-json REPO',
  'info --log-json --json REPO::vorta-3',
  'diff --info --log-json --json-lines REPO::day-1 vorta-3',
  'diff --info --log-json REPO::day-1 vorta-3',
  { ...extract('vorta-3', '--list', '--info', '--log-json', '--patterns-from', '../../shared/patterns') },
  'prune --list --info --log-json --dry-run --keep-hourly 2 --keep-daily 7 --keep-weekly 4 --keep-monthly 6 --keep-yearly 2 --glob-archives vorta-* REPO',
  'rename --info --log-json REPO::vorta-3 renamed-3',
  'check --info --log-json --progress REPO',
  'delete --info --log-json REPO::renamed-3',
  '--info --log-json compact --progress REPO',
  'break-lock --info --log-json REPO',
  '--log-json list --json REPO',
  'info --log-json --json --last 1 REPO',
  {
    args: 'init --info --log-json --encryption=repokey-blake2 OWN/new',
    kept: { stderr: 'what to do with the key is said in other words' },
  },
  { args: '--info --log-json key change-passphrase OWN/new', env: { BORG_NEW_PASSPHRASE: 'twins' } },
];

const write: readonly (string | TwinRow)[] = [
  'create -n --list REPO::none tree',
  create('day-1', '--list --comment first'),
  { args: create('day-2', '--list --stats'), prepare: later, kept: { stderr: 'sizes of deduplicated data' } },
  create('day-3', '--json -C lzma,1 --exclude-caches --keep-exclude-tags'),
  create('day-4', '--exclude-if-present .nobackup -e sh:**/*.o --list --filter AMx'),
  create(
    'day-5',
    '--patterns-from patterns --chunker-params buzhash,10,16,12,4095 --files-cache mtime,size --list',
  ),
  create(
    'day-6',
    '--chunker-params fixed,65536 --sparse -C auto,zlib,6 --numeric-ids --atime --noctime --list',
  ),
  { args: create('stdin-7', '--stdin-name say --stdin-user root --stdin-mode 0600', '-'), input: 'said\n' },
  {
    args: 'create --timestamp 2024-08-15T10:00:00 --paths-from-stdin --list REPO::paths-8',
    input: 'tree/zeros\ntree/docs\n',
  },
  'create --timestamp 2024-09-15T10:00:00 --content-from-command --stdin-name out REPO::command-9 -- echo hello',
  'create --timestamp 2024-09-16T10:00:00 --paths-from-command REPO::commands -- echo tree/letter',
  'create --timestamp tree/zeros --no-cache-sync --files-cache disabled REPO::{user}-0 tree/docs/./old',
  'create REPO::day-1 tree',
  'create --show-rc REPO::partly tree none',
  'rename REPO::partly whole',
];

const change: readonly (string | TwinRow)[] = [
  extract('day-1'),
  extract('day-2', '--list'),
  extract('day-5', '--strip-components', '1', '-e', 'sh:**/docs'),
  extract('day-6', '--sparse', '--numeric-ids'),
  'recreate --list -e sh:**/zeros REPO::day-3',
  'recreate --target again --recompress -C zstd,3 --comment again REPO::day-4',
  'recreate --chunker-params default --timestamp 2024-05-15T10:00:00 REPO::day-5',
  extract('day-3'),
  extract('again'),
  extract('day-5'),
  'list REPO::day-3',
  'rename REPO::again day-again',
  'rename REPO::day-again day-1',
  'delete --list REPO::whole',
  'delete --stats --list -a command* REPO',
  'delete --force --save-space REPO stdin-7 none',
  'prune --list --keep-last 2 -a day-* --stats REPO',
  'compact -v REPO',
  'compact --cleanup-commits --threshold 0 REPO',
  'import-tar --timestamp 2024-01-01T00:00:00 --list REPO::tar-1 OWN/day-1.tar',
  'import-tar --comment tar REPO::tar-2 OWN/day-1.tar.gz',
  { args: 'list --format {path}{NL} REPO::tar-1', verify: sameFile('day-1.tar') },
  extract('tar-2'),
  'config REPO additional_free_space 20M',
  'config REPO additional_free_space',
  'config -d REPO additional_free_space',
  'config REPO append_only 1',
  'create --timestamp 2024-02-01T00:00:00 REPO::append tree/docs',
  'delete REPO::append',
  'compact REPO',
  'config REPO append_only 0',
  'upgrade --disable-tam REPO',
  'upgrade --tam REPO',
  'upgrade --archives-tam REPO',
  'key import REPO OWN/key-copy',
  { args: 'key change-passphrase REPO', env: { BORG_NEW_PASSPHRASE: 'twins' } },
  'create OWN/plain::one tree',
  'check --verify-data OWN/plain',
  { args: 'delete OWN/plain', kept: { stderr: 'what is going to happen is said in other words' } },
  // Borg writes to the repository.
  'with-lock REPO true',
  'with-lock REPO --lock-wait 5 echo held',
  'list OWN/plain',
  'delete --cache-only REPO',
  'list --short REPO',
  'check --verify-data REPO',
];

const changePlacesRow: TwinRow = { args: 'info REPO', prepare: changePlaces };

compareTwins({
  title: 'a long script, by both programs',
  ownArchives: true,
  served: true,
  setUp,
  rows: [...write, ...look, changePlacesRow, ...frontEnds, ...look, ...change],
});
