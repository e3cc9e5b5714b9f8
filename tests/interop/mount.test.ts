/** Archives mounted by this program, beside what was saved, and beside what the reference mounts. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { mountObstacle } from '../mount/fuse/mount-obstacle.ts';
import { noise } from '../noise.ts';
import { buildOddTree } from '../odd-tree.ts';
import { ALCOVE_SERVER, FAKE_SSH } from '../remote/remote-place.ts';
import { listTree } from '../tree-listing.ts';
import { alcoveCommand, Workspace, type Program } from '../workspace.ts';
import { NOBODY } from './twins.ts';

/** Tells of each server that it starts. */
const BREAKING_SSH = fileURLToPath(new URL('../remote/breaking-ssh.mjs', import.meta.url));

const reason = mountObstacle();
if (reason !== undefined) console.error(`Tests of mount are LEFT OUT: ${reason}`);

/** Whatever the trees' roots are called. */
const withoutFlags = (lines: readonly string[]) => lines.filter((line) => !/^\.\S* [adi]+$/.test(line));
const withoutAcls = (lines: readonly string[]) =>
  lines.filter((line) => !line.startsWith('# file: ') || /=0x/.test(line));

function isMounted(path: string): boolean {
  return readFileSync('/proc/mounts', 'utf8').includes(` ${path} `);
}

async function until(what: string, is: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (is()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`never: ${what}`);
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

function isDead(path: string): boolean {
  try {
    statfsSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTCONN';
  }
}

/** Names, kinds, sizes and owners. */
function outline(path: string): string[] {
  const { stdout } = spawnSync('find', ['.', '-printf', '%P %y %m %U %G %n %s\n'], {
    cwd: path,
    encoding: 'latin1',
  });
  return stdout.split('\n').toSorted((a, b) => (a < b ? -1 : 1));
}

/** And times and blocks, of all but the root, whose times are those of the mount. */
function factsOf(path: string): string[] {
  const { stdout } = spawnSync('find', ['.', '-printf', '%p %y %m %U %G %n %s %b %T@ %A@ %C@ %l\n'], {
    cwd: path,
    encoding: 'latin1',
    maxBuffer: 1 << 26,
  });
  return stdout
    .split('\n')
    .slice(1)
    .toSorted((a, b) => (a < b ? -1 : 1));
}

/** What the kernel says of the mount. */
function mountLine(): string | undefined {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .findLast((each) => each.includes('/mnt '));
}

const allOf = (path: string) => [factsOf(path), withoutAcls(listTree(join(path, 'tree')))] as const;
const summaryOf = (path: string) => [mountLine(), outline(path), statfsSync(path)] as const;

describe('mount', { skip: reason }, () => {
  let space: Workspace;
  let referenceMounts: string | undefined;
  const mounted = new Set<string>();

  function mountpoint(name: string): string {
    const path = space.join(name);
    mkdirSync(path, { recursive: true });
    mounted.add(path);
    return path;
  }

  /**
   * The reference waits for a signal of its process in the background, and loses it where it comes in the moment of the
   * fork: then it says, after some seconds, that nobody answered, and exits with 1, though all is well.
   */
  function expectMissedSignal(stderr: string): void {
    assert.match(stderr, /Background process did not respond/);
    for (let tries = 0; !isMounted(space.join('mnt')); tries++) {
      assert.ok(tries < 600, stderr);
      spawnSync('sleep', ['0.1']);
    }
  }

  /** Mounts, has `look` look, and unmounts. */
  function look<T>(program: Program, args: readonly string[], look: (path: string) => T, options = {}): T {
    const path = mountpoint('mnt');
    const at = args.findIndex((arg) => !arg.startsWith('-') && /repo/.test(arg));
    const command = ['mount', ...args.slice(0, at + 1), path, ...args.slice(at + 1)];
    const { status, stderr } = program(command, { ...options, accept: [0, 1] });
    try {
      if (status === 1) expectMissedSignal(stderr);
      return look(path);
    } finally {
      spawnSync('umount', [path]);
    }
  }

  const isUnlocked = () => !existsSync(space.join('repo/lock.roster'));

  before(() => {
    space = new Workspace();
    buildOddTree(space.join('tree'));
    mkdirSync(space.join('small/sub'), { recursive: true });
    writeFileSync(space.join('small/a.txt'), 'one');
    writeFileSync(space.join('small/sub/b'), noise(100, 1));
    space.alcove(['init', '--encryption', 'repokey', 'repo']);
    space.alcove(['create', 'repo::odd', 'tree']);
    space.alcove(['create', 'repo::small-1', 'small']);
    writeFileSync(space.join('small/a.txt'), 'another');
    space.alcove(['create', 'repo::small-2', 'small']);
    const probe = space.borg(['mount', 'repo::small-1', mountpoint('mnt')], { accept: [0, 1, 2] });
    if (probe.status === 1) expectMissedSignal(probe.stderr);
    if (probe.status !== 2) space.borg(['umount', space.join('mnt')]);
    else referenceMounts = `the reference can't mount: ${probe.stderr.trim()}`;
    if (referenceMounts !== undefined)
      console.error(`Comparisons with its mounts are LEFT OUT: ${referenceMounts}`);
  });

  after(() => {
    for (const path of mounted) spawnSync('umount', ['-l', path], { stdio: 'ignore' });
    space?.[Symbol.dispose]();
  });

  it('shows an archive as it was saved', () => {
    const shown = look(space.alcove, ['repo::odd'], (path) => {
      const { stdout, error } = spawnSync(
        'rsync',
        [
          '-n',
          '-aHAX',
          '--checksum',
          '--itemize-changes',
          '--delete',
          `${space.join('tree')}/`,
          `${path}/tree/`,
        ],
        { encoding: 'latin1' },
      );
      if (error === undefined) assert.equal(stdout, '');
      return listTree(join(path, 'tree'));
    });
    const saved = listTree(space.join('tree'));
    assert.deepEqual(withoutFlags(shown), withoutFlags(saved));
  });

  it('shows an archive as the reference does, and its ACLs, too', (test) => {
    if (referenceMounts !== undefined) return test.skip(referenceMounts);
    const [ours, our] = look(space.alcove, ['repo::odd'], allOf);
    const [theirs, their] = look(space.borg, ['repo::odd'], allOf);
    assert.deepEqual(ours, theirs);
    assert.deepEqual(our, their);
    return undefined;
  });

  const selections: readonly string[][] = [
    ['repo', '--last', '2', '--sort-by', 'name'],
    ['repo::small-1', 'small/sub', '--strip-components', '1'],
    ['repo', '-a', 'small-1', '--pattern', '+ small/a.txt', '--pattern', '- **'],
    ['-o', 'versions', 'repo', '-a', 'small-*'],
    ['-o', 'uid=65534,gid=65534,umask=022', 'repo::small-1'],
    ['-o', 'ignore_permissions,allow_other,noatime,rw,suid', 'repo::small-1', '--exclude', 'small/sub'],
    ['--numeric-ids', 'repo::odd', 'tree/metadata'],
  ];
  for (const args of selections) {
    it(`shows the same as the reference: mount ${args.join(' ')}`, (test) => {
      if (referenceMounts !== undefined) return test.skip(referenceMounts);
      assert.deepEqual(look(space.alcove, args, summaryOf), look(space.borg, args, summaryOf));
      return undefined;
    });
  }

  it('shows a repository that a server keeps', () => {
    const env = { BORG_RSH: FAKE_SSH, BORG_REMOTE_PATH: ALCOVE_SERVER };
    const shown = look(
      space.alcove,
      [`ssh://host${space.join('repo')}::odd`, 'tree/links', 'tree/metadata'],
      (path) => listTree(join(path, 'tree/links')),
      { env },
    );
    assert.deepEqual(withoutFlags(shown), withoutFlags(listTree(space.join('tree/links'))));
    space.alcove(['list', 'repo']);
  });

  const refused: readonly string[][] = [
    ['mount', 'repo', 'missing'],
    ['mount', 'repo::missing', 'mnt'],
    ['mount', '-o', 'foo', 'repo', 'mnt'],
    ['mount', '-o', 'uid=54321', 'repo', 'mnt'],
    ['mount', '-o', 'versions', 'repo::small-1', 'mnt'],
    ['umount', 'mnt'],
  ];
  for (const args of refused) {
    it(`says what the reference says: ${args.join(' ')}`, (test) => {
      if (referenceMounts !== undefined) return test.skip(referenceMounts);
      mountpoint('mnt');
      const options = { accept: [1, 2, 31], env: { BORG_EXIT_CODES: 'modern' } };
      const withCode = [args[0]!, '--show-rc', ...args.slice(1)];
      assert.deepEqual(space.alcove(withCode, options), space.borg(withCode, options));
      return undefined;
    });
  }

  it('gives EIO for a damaged file and goes on with others', () => {
    const copy = space.join('damaged-repo');
    spawnSync('cp', ['-a', space.join('repo'), copy]);
    space.alcove(['debug', 'delete-obj', 'damaged-repo', firstChunkOf('damaged-repo', 'tree/size-4096')]);
    look(space.alcove, ['damaged-repo::odd'], (path) => {
      const bad = spawnSync('cat', [join(path, 'tree/size-4096')], { encoding: 'utf8' });
      assert.match(bad.stderr, /Input\/output error/);
      const good = spawnSync('cat', [join(path, 'tree/plain.txt')], { encoding: 'utf8' });
      assert.equal(good.stdout, 'plain text\n');
    });
    rmSync(copy, { recursive: true });
  });

  function firstChunkOf(repository: string, file: string): string {
    const out = space.join('dump.json');
    space.alcove(['debug', 'dump-archive', `${repository}::odd`, out]);
    const { _items: items } = JSON.parse(readFileSync(out, 'utf8')) as {
      _items: { path: string; chunks?: [string][] }[];
    };
    // A delete char stands before it: so the reference marks bytes.
    return items.find(({ path }) => path === file)!.chunks![0]![0].slice(-64);
  }

  it('ends by Ctrl-C in the foreground, unmounted and unlocked', async () => {
    const path = mountpoint('mnt');
    const child = spawn(process.execPath, [alcoveCommand, 'mount', '-f', 'repo::small-1', path], {
      cwd: space.path,
      env: space.env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = once(child, 'exit');
    await until('mounted', () => isMounted(path));
    assert.equal(readFileSync(join(path, 'small/a.txt'), 'utf8'), 'one');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
    assert.ok(!isMounted(path));
    assert.ok(isUnlocked());
  });

  it('does not unmount when it is told to end in the background, and is unlocked', async () => {
    const path = mountpoint('mnt');
    space.alcove(['mount', 'repo::small-1', path]);
    const pid = holder();
    process.kill(pid, 'SIGTERM');
    await until('unlocked', isUnlocked);
    await until('left behind', () => isDead(path));
    assert.match(space.alcove(['mount', 'repo', path], { accept: [2] }).stderr, /served by nobody any more/);
    space.alcove(['umount', path]);
    assert.ok(!isMounted(path));
  });

  it('leaves a mountpoint that umount clears away when it is killed', async () => {
    const path = mountpoint('mnt');
    space.alcove(['mount', 'repo::small-1', path]);
    process.kill(holder(), 'SIGKILL');
    await until('left behind', () => isDead(path));
    space.alcove(['umount', path]);
    assert.ok(!isMounted(path));
    // A later run would remove its lock only once the system has done with the process.
    space.alcove(['break-lock', 'repo']);
  });

  it('ends when it is unmounted from outside, once nobody is in it', async () => {
    const path = mountpoint('mnt');
    space.alcove(['mount', 'repo::small-1', path]);
    const file = openSync(join(path, 'small/a.txt'), 'r');
    assert.equal(space.alcove(['umount', path], { accept: [1] }).status, 1);
    assert.ok(isMounted(path));
    closeSync(file);
    assert.equal(spawnSync('umount', [path]).status, 0);
    await until('unlocked', isUnlocked);
  });

  /** In the foreground, of the repository as a server keeps it; each server notes its process. */
  function mountFromServer(path: string) {
    const record = space.join('servers');
    rmSync(record, { force: true });
    const far = `ssh://host${space.join('repo')}::small-1`;
    const child = spawn(process.execPath, [alcoveCommand, 'mount', '-f', far, path], {
      cwd: space.path,
      env: {
        ...space.env,
        BORG_RSH: BREAKING_SSH,
        BORG_REMOTE_PATH: ALCOVE_SERVER,
        BREAK_RECORD: record,
      },
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const signalServer = (signal: NodeJS.Signals) => {
      const [, pid] = [...readFileSync(record, 'utf8').matchAll(/^server (\d+)$/gm)].at(-1)!;
      process.kill(-Number(pid), signal);
    };
    return { child, ended: once(child, 'exit'), signalServer };
  }

  it('gives EIO while the line to the server is lost, and the files again when it is back', async () => {
    const path = mountpoint('mnt');
    const { child, ended, signalServer } = mountFromServer(path);
    await until('mounted', () => isMounted(path));
    assert.equal(readFileSync(join(path, 'small/a.txt'), 'utf8'), 'one');
    const away = space.join('repo-away');
    renameSync(space.join('repo'), away);
    signalServer('SIGKILL');
    const lost = join(path, 'small/sub/b');
    assert.throws(() => readFileSync(lost), { code: 'EIO' });
    assert.equal(statSync(lost).size, 100);
    renameSync(away, space.join('repo'));
    await until('read again', () => isReadable(lost));
    assert.ok(readFileSync(lost).equals(noise(100, 1)));
    child.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
    assert.ok(!isMounted(path));
    space.alcove(['break-lock', 'repo']);
  });

  it('a second signal ends it though its server does nothing, and harms nothing', async () => {
    const path = mountpoint('mnt');
    const { child, ended, signalServer } = mountFromServer(path);
    await until('mounted', () => isMounted(path));
    assert.equal(readFileSync(join(path, 'small/a.txt'), 'utf8'), 'one');
    signalServer('SIGSTOP');
    const reader = spawn('cat', [join(path, 'small/sub/b')], { stdio: 'ignore' });
    const read = once(reader, 'exit');
    try {
      // What comes soon after the first one counts as the same.
      for (let tries = 0; child.exitCode === null && tries < 200; tries++) {
        child.kill('SIGINT');
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      assert.ok([0, 130].includes((await ended)[0] as number));
    } finally {
      signalServer('SIGCONT');
    }
    await read;
    assert.ok(!isMounted(path));
    space.alcove(['break-lock', 'repo']);
    space.alcove(['check', 'repo']);
    // Whoever comes next finds it where it is.
    space.alcove(['list', 'repo']);
  });

  it('mounts as borgfs, also for mount(8)', (test) => {
    const bin = space.join('bin');
    mkdirSync(bin);
    symlinkSync(join(dirname(alcoveCommand), 'alcove'), join(bin, 'borgfs'));
    const path = mountpoint('mnt');
    const env = { ...space.env, PATH: `${bin}:${space.env['PATH']}` };
    const borgfs = (...args: string[]) =>
      spawnSync(join(bin, 'borgfs'), args, { env, cwd: space.path, encoding: 'utf8' });
    assert.match(borgfs('-V').stdout, /1\.4\.5/);
    const { status, stderr } = borgfs('-o', 'ro,nodev', space.join('repo::small-1'), path);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(readFileSync(join(path, 'small/a.txt'), 'utf8'), 'one');
    space.alcove(['umount', path]);
    if (!existsSync('/sbin/mount.fuse3')) return test.skip('there is no mount.fuse3');
    const system = spawnSync(
      '/sbin/mount.fuse3',
      [`borgfs#${space.join('repo::small-1')}`, path, '-o', 'rw,noauto,user'],
      {
        env,
        encoding: 'utf8',
      },
    );
    assert.deepEqual([system.status, system.stderr], [0, '']);
    assert.deepEqual(readdirSync(path), ['small']);
    space.alcove(['umount', path]);
    return undefined;
  });

  it('mounts for a user without rights, by fusermount3', (test) => {
    if (spawnSync('fusermount3', ['--version']).error) return test.skip('there is no fusermount3');
    if ((statSync('/dev/fuse').mode & 0o006) !== 0o006) return test.skip('/dev/fuse is for root alone');
    const home = space.join('user');
    const path = mountpoint('user/mnt');
    spawnSync('cp', ['-a', space.join('repo'), join(home, 'repo')]);
    chmodSync(space.path, 0o755);
    spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, home]);
    chownSync(path, NOBODY, NOBODY);
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [alcoveCommand, ...args], {
        cwd: home,
        env: { ...space.env, HOME: home, BORG_BASE_DIR: join(home, 'home') },
        uid: NOBODY,
        gid: NOBODY,
        encoding: 'utf8',
      });
    const result = run('mount', 'repo::small-1', path);
    assert.deepEqual([result.status, result.stderr], [0, '']);
    const asUser = spawnSync('cat', [join(path, 'small/a.txt')], {
      uid: NOBODY,
      gid: NOBODY,
      encoding: 'utf8',
    });
    assert.equal(asUser.stdout, 'one');
    assert.throws(() => statSync(join(path, 'small')), { code: 'EACCES' });
    assert.match(
      readFileSync('/proc/mounts', 'utf8'),
      new RegExp(`^borgfs ${path} fuse ro,nosuid,nodev.*user_id=${NOBODY}`, 'm'),
    );
    assert.deepEqual([run('umount', path).status, isMounted(path)], [0, false]);
    const refusal = run('mount', '-o', 'allow_other', 'repo::small-1', path);
    if (
      !/^user_allow_other/m.test(existsSync('/etc/fuse.conf') ? readFileSync('/etc/fuse.conf', 'utf8') : '')
    ) {
      assert.equal(refusal.status, 2);
      assert.match(refusal.stderr, /user_allow_other[\s\S]*Runtime Error: FUSE mount failed/);
    }
  });

  function holder(): number {
    const roster = JSON.parse(readFileSync(space.join('repo/lock.roster'), 'utf8')) as {
      shared: [string, number][];
    };
    return roster.shared.at(-1)![1];
  }
});
