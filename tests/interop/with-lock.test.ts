import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { describe, it } from 'node:test';
import { alcoveCommand, Workspace } from '../workspace.ts';

describe('with-lock', () => {
  it('runs a command with arguments of its own, and ends with its exit code', () => {
    using space = new Workspace();
    const repository = space.join('repo');
    space.borg(['init', '--encryption', 'none', repository]);
    for (const [args, code] of [
      [['sh', '-c', 'echo "$@"; exit 7', 'sh', '-v', '--help', '--', '-x'], 7],
      [['--', 'echo', 'one'], 0],
      [['cat'], 0],
      [['nonesuch-command', 'x'], 2],
      [[space.path], 2],
    ] as const) {
      const command = ['with-lock', repository, ...args];
      const options = { accept: [code], input: 'input' };
      assert.deepEqual(space.alcove(command, options), space.borg(command, options));
    }
    const killed = space.alcove(['with-lock', repository, 'sh', '-c', 'kill -9 $$'], { accept: [137] });
    assert.equal(killed.status, 137);
  });

  it('keeps others out, changes nothing, and hands no passphrase on', () => {
    using space = new Workspace();
    const repository = space.join('repo');
    space.alcove(['init', '--encryption', 'repokey', repository]);
    const before = globSync(`${repository}/**`).toSorted();
    const script = `test -e ${repository}/lock.exclusive && env`;
    const env = { BORG_NEW_PASSPHRASE: 'secret' };
    const { stdout } = space.alcove(['with-lock', repository, 'sh', '-c', script], { env });
    assert.match(stdout, /^BORG_VERSION=1\.4\.5$/m);
    assert.match(stdout, /^BORG_BASE_DIR=/m);
    assert.doesNotMatch(stdout, /PASSPHRASE|secret/);
    // The one who waits is told that it is locked.
    const inner = `${process.execPath} ${alcoveCommand} list --lock-wait 0 ${repository}`;
    const busy = space.alcove(['with-lock', repository, 'sh', '-c', inner], { accept: [2] });
    assert.match(busy.stderr, /^Failed to create\/acquire the lock /);
    assert.deepEqual(globSync(`${repository}/**`).toSorted(), before);
  });

  it('passes a signal on, and gives the lock back when the command has ended', async () => {
    using space = new Workspace();
    const repository = space.join('repo');
    space.alcove(['init', '--encryption', 'none', repository]);
    const script = `trap 'echo stopped; exit 0' TERM; echo started; while :; do sleep 0.05; done`;
    const child = spawn(process.execPath, [alcoveCommand, 'with-lock', repository, 'sh', '-c', script], {
      env: space.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const output: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    await once(child.stdout, 'data');
    assert.ok(existsSync(`${repository}/lock.exclusive`));
    child.kill('SIGTERM');
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    assert.equal(output.join(''), 'started\nstopped\n');
    assert.deepEqual([code, signal], [143, null]);
    assert.ok(!existsSync(`${repository}/lock.exclusive`));
  });
});
