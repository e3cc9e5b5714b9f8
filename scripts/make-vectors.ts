/**
 * Makes the golden repositories in tests/vectors/repositories with the reference Borg:
 *
 *     node scripts/make-vectors.ts /path/to/borg
 *
 * For every encryption mode there are <mode>/ (the repository), <mode>.json (what Borg says is in it) and, for
 * keyfiles, <mode>.key (the exported key). `repokey-home/` is the user's side of the repokey repository: its cache and
 * its security folder. Ids and keys are random, so the files differ from run to run.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PASSPHRASE = 'golden passphrase';
const MODES = [
  'none',
  'authenticated',
  'authenticated-blake2',
  'repokey',
  'keyfile',
  'repokey-blake2',
  'keyfile-blake2',
];
/** Archives of each repository: name, folder to back up, compression. Repokey has all, the others three. */
const ARCHIVES: [name: string, folder: string, compression: string][] = [
  ['tree', 'tree', 'lz4'],
  ['zlib', 'one', 'zlib,6'],
  ['zstd', 'two', 'zstd,3'],
  ['none', 'three', 'none'],
  ['lzma', 'four', 'lzma,0'],
  ['auto', 'five', 'auto,zstd,10'],
  ['obfuscated', 'six', 'obfuscate,3,zstd,3'],
];

const borg = process.argv[2] ?? process.env['BORG_REFERENCE'];
if (borg === undefined) {
  console.error('usage: node scripts/make-vectors.ts /path/to/borg');
  process.exit(2);
}
const target = join(dirname(dirname(fileURLToPath(import.meta.url))), 'tests/vectors/repositories');
// The same place for everybody: it shows in the archives' command lines.
const workspace = '/tmp/golden';
const source = join(workspace, 'source');

/** Bytes that look random and are the same in every run. */
function noise(seed: string, sizeBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < sizeBytes; i++) parts.push(createHash('sha256').update(`${seed}${i}`).digest());
  return Buffer.concat(parts).subarray(0, sizeBytes);
}

function makeSource(): void {
  mkdirSync(join(source, 'tree/folder'), { recursive: true });
  const write = (path: string | Buffer, content: string | Buffer): void => {
    const folder = Buffer.from(`${source}/`);
    const full = Buffer.concat([folder, typeof path === 'string' ? Buffer.from(path) : path]);
    writeFileSync(full, content);
    utimesSync(full, 1_700_000_000.25, 1_700_000_000.125);
  };
  write('tree/empty', '');
  write('tree/text', 'All work and no play makes Jack a dull boy.\n'.repeat(200));
  write('tree/noise', noise('noise', 9000));
  write('tree/zeros', Buffer.alloc(40_000));
  write('tree/folder/ünï', 'ünïcode\n');
  write(Buffer.from('tree/folder/latin1-\xfc', 'latin1'), 'not UTF-8\n');
  linkSync(join(source, 'tree/text'), join(source, 'tree/zz-hardlink'));
  symlinkSync('folder/ünï', join(source, 'tree/symlink'));
  execFileSync('mkfifo', [join(source, 'tree/fifo')]);
  execFileSync('setfattr', ['-n', 'user.golden', '-v', 'value', join(source, 'tree/text')]);
  for (const [index, [, folder]] of ARCHIVES.entries()) {
    if (folder === 'tree') continue;
    mkdirSync(join(source, folder));
    write(`${folder}/file`, Buffer.concat([Buffer.alloc(5000, `${folder} `), noise(folder, 300 + index)]));
  }
}

function run(args: readonly string[], home: string): string {
  return execFileSync(borg!, args, {
    encoding: 'utf8',
    cwd: source,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      BORG_BASE_DIR: home,
      BORG_PASSPHRASE: PASSPHRASE,
      BORG_HOST_ID: 'golden@1',
      BORG_HOSTNAME: 'golden',
      BORG_USERNAME: 'alcove',
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
      BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
    },
  });
}

/** What a debug command writes into a file. */
function dump(command: string, location: string, home: string): unknown {
  const path = join(workspace, 'dump.json');
  run(['debug', command, location, path], home);
  const text = readFileSync(path, 'utf8');
  rmSync(path);
  return JSON.parse(text);
}

/** Id, size and SHA-256 of every object's plain content. */
function dumpObjects(repository: string, home: string): Record<string, { size: number; sha256: string }> {
  const folder = join(workspace, 'objects');
  mkdirSync(folder);
  const before = process.cwd();
  process.chdir(folder);
  execFileSync(borg!, ['debug', 'dump-repo-objs', repository], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      BORG_BASE_DIR: home,
      BORG_PASSPHRASE: PASSPHRASE,
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    },
  });
  process.chdir(before);
  const objects: Record<string, { size: number; sha256: string }> = {};
  for (const name of readdirSync(folder).toSorted()) {
    const content = readFileSync(join(folder, name));
    const id = /[0-9a-f]{64}/.exec(name)![0];
    objects[id] = { size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
  }
  rmSync(folder, { recursive: true });
  return objects;
}

function makeRepository(mode: string): void {
  const home = join(workspace, `home-${mode}`);
  const repository = join(workspace, mode);
  mkdirSync(home);
  run(['init', '-e', mode, repository], home);
  const archives = mode === 'repokey' ? ARCHIVES : ARCHIVES.slice(0, 3);
  for (const [name, folder, compression] of archives) {
    const options = ['-C', compression, '--chunker-params', '10,13,11,1023', '--comment', `of ${folder}`];
    run(['create', ...options, '--timestamp', '2024-01-31T12:00:00', `${repository}::${name}`, folder], home);
  }
  // A deleted archive leaves DELETE entries and hints about what can be compacted.
  run(['create', `${repository}::gone`, 'six'], home);
  run(['delete', `${repository}::gone`], home);
  if (mode !== 'none') run(['key', 'export', repository, join(workspace, 'key')], home);
  const key = mode === 'none' ? null : readFileSync(join(workspace, 'key'), 'utf8');
  const facts = {
    borg: run(['--version'], home).trim(),
    mode,
    passphrase: PASSPHRASE,
    repositoryId: /id = ([0-9a-f]+)/.exec(readFileSync(join(repository, 'config'), 'utf8'))![1],
    key,
    manifest: dump('dump-manifest', repository, home),
    hints: dump('dump-hints', repository, home),
    archives: archives.map(([name]) => dump('dump-archive', `${repository}::${name}`, home)),
    objects: dumpObjects(repository, home),
    files: Object.fromEntries(
      archives.map(([name]) => [
        name,
        run(['list', '--format', LIST_FORMAT, `${repository}::${name}`], home),
      ]),
    ),
  };
  cpSync(repository, join(target, mode), { recursive: true });
  rmSync(join(target, mode, 'README'));
  writeFileSync(join(target, `${mode}.json`), `${JSON.stringify(facts, null, 1)}\n`);
  if (mode.startsWith('keyfile')) writeFileSync(join(target, `${mode}.key`), key!);
  if (mode === 'repokey') keepHome(home);
}

const LIST_FORMAT = '{type} {mode} {uid} {gid} {size} {num_chunks} {sha256} {isomtime} {path}{LF}';

/** Keeps the cache and the security folder of the only repository. */
function keepHome(home: string): void {
  const cache = join(home, '.cache/borg');
  const security = join(home, '.config/borg/security');
  const id = readdirSync(security)[0]!;
  cpSync(join(cache, id), join(target, 'repokey-home/cache'), { recursive: true });
  cpSync(join(security, id), join(target, 'repokey-home/security'), { recursive: true });
  rmSync(join(target, 'repokey-home/cache/README'));
}

function sizeOf(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

rmSync(workspace, { recursive: true, force: true });
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
makeSource();
for (const mode of MODES) makeRepository(mode);
rmSync(workspace, { recursive: true, force: true });
console.log(`${target}: ${sizeOf(target)} bytes`);
