/** Several clients on one repository at once, some of a server, some local: one waits for the other, and nothing is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'node:test';
import { noise } from '../noise.ts';
import { ALCOVE_SERVER, FAKE_SSH } from '../remote/remote-place.ts';
import { alcoveCommand, Workspace } from '../workspace.ts';

const reference = process.env['ALCOVE_REFERENCE_BORG'] ?? '';

interface Way {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** None for local access. */
  readonly server?: string;
}

const ways: readonly Way[] = [
  { name: 'served', command: [process.execPath, alcoveCommand], server: ALCOVE_SERVER },
  { name: 'served-by-borg', command: [process.execPath, alcoveCommand], server: reference },
  { name: 'local', command: [process.execPath, alcoveCommand] },
  { name: 'borg-served', command: [reference], server: ALCOVE_SERVER },
  { name: 'borg-local', command: [reference] },
];

function makeSpace(): Workspace {
  const space = new Workspace({
    BORG_RSH: FAKE_SSH,
    BORG_EXIT_CODES: 'modern',
    BORG_SELFTEST: 'disabled',
    BORG_HOST_ID: 'one-host',
  });
  mkdirSync(space.join('tree'));
  writeFileSync(space.join('tree/shared'), noise(500_000, 1));
  space.alcove(['init', '--encryption', 'repokey', space.join('repo')]);
  return space;
}

/** Each has a home of its own, as on machines of their own. REPO stands for the repository. */
async function run(space: Workspace, way: Way, args: readonly string[]): Promise<[number | null, string]> {
  const { name, command, server } = way;
  const path = space.join('repo');
  const repository = server === undefined ? path : `ssh://host${path}`;
  const [program, ...first] = command;
  const child = spawn(program, [...first, ...args.map((word) => word.replace('REPO', repository))], {
    cwd: space.path,
    env: { ...space.env, BORG_BASE_DIR: space.join(`home-${name}`), BORG_REMOTE_PATH: server },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  await once(child, 'close');
  return [child.exitCode, stderr];
}

it('backups at the same time, of clients of servers and of local ones, wait for each other and are all there', async () => {
  using space = makeSpace();
  for (const [n, { name }] of ways.entries()) writeFileSync(space.join(name), noise(400_000, n + 2));
  await Promise.all(
    ways.map(async (way) => {
      const args = ['create', '--lock-wait', '20', `REPO::${way.name}`, 'tree', way.name];
      // Borg looks only so often while it waits, and may miss its turn.
      for (let attempt = 1; ; attempt++) {
        const [code, stderr] = await run(space, way, args);
        if (code === 73 && attempt < 20) continue;
        return assert.equal(code, 0, `${way.name}: ${stderr}`);
      }
    }),
  );
  const wanted = ways.map(({ name }) => name).toSorted();
  for (const program of [space.alcove, space.borg]) {
    program(['check', '--verify-data', space.join('repo')]);
    const { stdout } = program(['list', '--short', space.join('repo')]);
    assert.deepEqual(stdout.trim().split('\n').toSorted(), wanted);
  }
});

it('whoever does not want to wait is told that another one holds the lock, over a server and locally', async () => {
  using space = makeSpace();
  const [served, , local] = ways as readonly [Way, Way, Way];
  for (const [holder, other] of [
    [served, local],
    [local, served],
    [served, { ...served, name: 'second' }],
  ] as const) {
    const held = space.join(`held-by-${holder.name}-for-${other.name}`);
    const script = `touch "${held}"; while [ -e "${held}" ]; do sleep 0.05; done`;
    const holding = run(space, holder, ['with-lock', 'REPO', 'sh', '-c', script]);
    while (!existsSync(held)) await sleep(10);
    const [code, stderr] = await run(space, other, ['create', '--lock-wait', '0', 'REPO::none', 'tree']);
    assert.equal(code, 73, stderr);
    assert.match(stderr, /^Failed to create\/acquire the lock .*\(timeout\)\.$/m);
    const waiting = run(space, other, ['list', '--lock-wait', '300', 'REPO']);
    rmSync(held);
    assert.deepEqual([(await holding)[0], (await waiting)[0]], [0, 0]);
  }
});
