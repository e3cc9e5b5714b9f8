/** The reference as the client of alcove's server; `ssh` is a script that has a shell of this machine run the rest. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noise } from '../noise.ts';
import { campaignRandom } from '../random.ts';
import { Workspace, type Outcome, type RunOptions } from '../workspace.ts';
import { comparable } from './comparable.ts';

const fakeSsh = fileURLToPath(new URL('../remote/fake-ssh', import.meta.url));
const program = fileURLToPath(new URL('../../bin/alcove', import.meta.url));
const reference = process.env['ALCOVE_REFERENCE_BORG']!;

const anyCode = Array.from({ length: 127 }, (_, code) => code);

type Server = 'alcove' | 'reference';

/** A workspace in whose PATH `borg` is the server. */
function remoteSpace(server: Server, env: Record<string, string> = {}): Workspace {
  const space = new Workspace({ BORG_RSH: fakeSsh, BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES', ...env });
  mkdirSync(space.join('bin'));
  symlinkSync(server === 'alcove' ? program : reference, space.join('bin/borg'));
  space.env['BORG_REMOTE_PATH'] = space.join('bin/borg');
  mkdirSync(space.join('tree/below'), { recursive: true });
  writeFileSync(space.join('tree/text'), 'some text\n'.repeat(1000));
  writeFileSync(space.join('tree/below/noise'), noise(3_000_000, 1));
  return space;
}

const url = (space: Workspace, name = 'repo') => `ssh://host${space.join(name)}`;
const isLocked = (space: Workspace) => existsSync(space.join('repo/lock.exclusive'));

describe("alcove's server", () => {
  for (const encryption of ['repokey-blake2', 'none']) {
    it(`serves a client of Borg from init to delete (${encryption})`, () => {
      using space = remoteSpace('alcove');
      const repository = url(space);
      space.borg(['init', '--encryption', encryption, repository]);
      space.borg(['create', `${repository}::first`, 'tree']);
      space.borg(['create', `${repository}::second`, 'tree']);
      assert.match(space.borg(['list', '--short', repository]).stdout, /^first\nsecond\n$/);
      mkdirSync(space.join('out'));
      space.borg(['extract', `${repository}::second`], { cwd: space.join('out') });
      for (const path of ['text', 'below/noise']) {
        assert.deepEqual(readFileSync(space.join('out/tree', path)), readFileSync(space.join('tree', path)));
      }
      space.borg(['check', '--verify-data', repository]);
      space.borg(['check', '--repair', repository]);
      space.borg(['prune', '--keep-last', '1', repository]);
      space.borg(['compact', repository]);
      // Either program, without a server in between.
      for (const check of [space.borg, space.alcove]) check(['check', '--verify-data', space.join('repo')]);
      assert.match(space.alcove(['list', '--short', space.join('repo')]).stdout, /^second\n$/);
      space.borg(['rename', `${repository}::second`, 'third']);
      space.borg(['info', repository]);
      space.borg(['break-lock', repository]);
      space.borg(['delete', repository]);
      assert.ok(!existsSync(space.join('repo')));
    });
  }

  it('says what the reference says as a server, and the client ends with the same code', () => {
    const sides = (['alcove', 'reference'] as const).map((server) => remoteSpace(server));
    try {
      const both = (args: string[], options?: RunOptions): void => {
        const [mine, theirs] = sides.map((space) => {
          const words = args.map((word) => word.replace('REPO', url(space)));
          const outcome = space.borg(words, { accept: anyCode, ...options });
          return shown(outcome, space);
        });
        assert.deepEqual(mine, theirs, args.join(' '));
      };
      const modern = { env: { BORG_EXIT_CODES: 'modern' } };
      both(['init', '-e', 'none', 'REPO']);
      both(['init', '-e', 'none', 'REPO'], modern);
      both(['create', 'REPO::a', 'tree']);
      both(['list', '--short', 'REPO']);
      both(['check', '--progress', '-v', 'REPO']);
      both(['check', '--log-json', '--progress', '--info', '--repository-only', 'REPO']);
      both(['delete', '-v', 'REPO::a']);
      both(['compact', '-v', '--progress', 'REPO']);
      both(['list', 'REPO/below'], modern);
      both(['list', 'REPO-not-there'], modern);
      both(['init', '-e', 'none', 'REPO/x/y'], modern);
      both(['init', '-e', 'none', '--make-parent-dirs', 'REPO-2/x/y']);
      both(['debug', 'get-obj', 'REPO', '00'.repeat(32), 'object']);
      both(['debug', 'get-obj', 'REPO', '11'.repeat(32), 'object']);
      both(['version', 'REPO']);
      for (const [restriction, args] of [
        ['--restrict-to-path HERE/rep', ['list', 'REPO']],
        ['--restrict-to-repository HERE', ['list', 'REPO']],
        ['--restrict-to-path HERE', ['list', 'REPO']],
        ['--restrict-to-repository HERE/repo', ['list', '--debug-topic=repository.x', 'REPO']],
        ['--storage-quota 10M', ['create', '--stats', 'REPO::small', 'tree']],
      ] as const) {
        const outcomes = sides.map((space) => {
          const words = args.map((word) => word.replace('REPO', url(space)));
          const env = { BORG_EXIT_CODES: 'modern', FORCED_COMMAND: forced(restriction, space) };
          return shown(space.borg(words, { env, accept: anyCode }), space);
        });
        assert.deepEqual(outcomes[0], outcomes[1], restriction);
      }
    } finally {
      for (const space of sides) space[Symbol.dispose]();
    }
  });

  it('removes nothing for a client that may only append', () => {
    using space = remoteSpace('alcove');
    const repository = url(space);
    space.borg(['init', '-e', 'none', repository]);
    space.borg(['create', `${repository}::first`, 'tree']);
    const before = globSync(space.join('repo/data/0/*')).map((path) => [path, readFileSync(path)] as const);
    space.env['FORCED_COMMAND'] = `${space.join('bin/borg')} serve --append-only`;
    space.borg(['create', `${repository}::second`, 'tree']);
    space.borg(['delete', `${repository}::first`]);
    space.borg(['compact', repository]);
    const refused = space.borg(['delete', repository], { accept: [2] });
    assert.match(refused.stderr, /append-only mode/);
    for (const [path, bytes] of before) assert.ok(readFileSync(path).equals(bytes), path);
    assert.match(readFileSync(space.join('repo/config'), 'utf8'), /^append_only = 0$/m);
    for (const check of [space.borg, space.alcove]) check(['check', space.join('repo')]);
  });

  it('holds a client to the quota, and the repository stays whole', () => {
    using space = remoteSpace('alcove');
    const repository = url(space);
    space.borg(['init', '-e', 'none', repository]);
    writeFileSync(space.join('tree/large'), noise(12_000_000, 2));
    space.env['FORCED_COMMAND'] = `${space.join('bin/borg')} serve --storage-quota 10M`;
    const env = { BORG_EXIT_CODES: 'modern' };
    const { stderr } = space.borg(['create', `${repository}::a`, 'tree'], { env, accept: [20] });
    assert.match(stderr, /^The storage quota \(10\.00 MB\) has been exceeded/m);
    assert.ok(!isLocked(space));
    for (const check of [space.borg, space.alcove]) check(['check', space.join('repo')]);
    // The client's own command line gives it no more.
    const args = [
      'create',
      '--remote-path',
      `${space.join('bin/borg')} --umask 0`,
      `${repository}::b`,
      'tree',
    ];
    space.borg(args, { env, accept: [20] });
  });

  it('lets one client in at a time, and the other when the first has gone', async () => {
    using space = remoteSpace('alcove');
    const repository = url(space);
    space.borg(['init', '-e', 'none', repository]);
    const results = await Promise.all(
      ['one', 'two', 'three'].map((name) =>
        start(space, ['create', '--lock-wait', '60', `${repository}::${name}`, 'tree']),
      ),
    );
    assert.deepEqual(results, [0, 0, 0]);
    const busy = start(space, ['with-lock', repository, 'sleep', '3']);
    await until(() => isLocked(space));
    const env = { BORG_EXIT_CODES: 'modern' };
    const { stderr } = space.borg(['list', '--lock-wait', '0', repository], { env, accept: [73] });
    assert.match(stderr, /^Failed to create\/acquire the lock .*lock\.exclusive \(timeout\)\.$/m);
    assert.equal(await busy, 0);
    const { stdout } = space.borg(['list', '--short', repository]);
    assert.deepEqual(stdout.trim().split('\n').toSorted(), ['one', 'three', 'two']);
  });

  it('survives clients that are killed at any moment', async () => {
    using space = remoteSpace('alcove');
    const repository = url(space);
    const random = campaignRandom('clients that are killed');
    space.borg(['init', '-e', 'repokey', repository]);
    space.borg(['create', `${repository}::kept`, 'tree']);
    for (let n = 0; n < 8; n++) {
      writeFileSync(space.join('tree/new'), noise(6_000_000, n + 10));
      const args =
        n % 3 === 2
          ? ['compact', '--threshold', '0', repository]
          : ['create', `${repository}::n${n}`, 'tree'];
      const child = spawn(reference, args, {
        cwd: space.path,
        env: space.env,
        stdio: 'ignore',
        detached: true,
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      await new Promise((resolve) => setTimeout(resolve, 200 + random.integer(900)));
      child.kill('SIGKILL');
      await ended;
      await until(() => !isLocked(space));
      space[n % 2 === 0 ? 'borg' : 'alcove'](['check', space.join('repo')]);
    }
    space.borg(['check', '--verify-data', repository]);
    space.borg(['extract', '--dry-run', `${repository}::kept`]);
  });
});

function forced(options: string, space: Workspace): string {
  return `${space.join('bin/borg')} serve ${options.replaceAll('HERE', space.path)}`;
}

function shown(outcome: Outcome, space: Workspace): unknown {
  const { status, stdout, stderr } = comparable(outcome, { folders: [space.path], ownArchives: true });
  const text = String(stderr)
    // The server's stack and machine, and the client's.
    .replaceAll(/^(?:Traceback|Borg server:|Platform:|Linux:|Borg:|PID:|sys\.argv:|SSH_ORIGINAL).*\n/gm, '')
    .replaceAll(/^ {2}.*\n/gm, '');
  return { status, stdout, stderr: typeof stderr === 'string' ? text : stderr };
}

function start(space: Workspace, args: readonly string[]): Promise<number | null> {
  const child = spawn(reference, args, { cwd: space.path, env: space.env, stdio: 'ignore' });
  return new Promise((resolve) => child.once('close', resolve));
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 600 && !condition(); n++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(condition(), 'waited for a minute');
}
