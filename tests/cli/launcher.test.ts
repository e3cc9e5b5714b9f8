/** bin/alcove, which makes the process the right Node's. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'alcove-launcher-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const link = join(scratch, 'a folder', 'alcove');
mkdirSync(join(scratch, 'a folder'));
symlinkSync(join(root, 'bin/alcove'), link);

function shell(script: string) {
  const env = { ...process.env, BORG_BASE_DIR: scratch, HOME: scratch };
  return spawnSync('sh', ['-c', script, link], { env, encoding: 'utf8' });
}

/** Columns of the help of `prune` at a terminal of 64, except for examples and the lists of options. */
function widest(command: string): number {
  const { stdout } = shell(
    `script -qec "stty cols 64; ${command} '${link}' help prune" /dev/null </dev/null`,
  );
  const lines = stdout.replaceAll('\r', '').split('\n');
  assert.ok(lines.length > 50, stdout);
  return Math.max(...lines.filter((line) => !line.startsWith('  ')).map((line) => line.length));
}

describe(
  'bin/alcove',
  { skip: existsSync(join(root, 'dist/command/main.cjs')) ? false : 'dist/ is not built' },
  () => {
    it('finds the program through a link', () => {
      const { stdout, status } = shell('"$0" --version');
      assert.match(stdout, /^alcove \S+ \(borg 1\.4\.5\)\n$/);
      assert.equal(status, 0);
    });

    it('is borg through a link of that name, wherever it is', () => {
      const folder = join(scratch, 'names');
      mkdirSync(folder);
      symlinkSync(join(root, 'bin/alcove'), join(folder, 'borg'));
      symlinkSync('../a folder/alcove', join(folder, 'relative'));
      symlinkSync('relative', join(folder, 'chained'));
      mkdirSync(join(folder, 'deep'));
      symlinkSync('../chained', join(folder, 'deep/borg'));
      const environment = { ...process.env, PATH: `${folder}:${process.env['PATH']}`, HOME: scratch };
      const run = (command: string, env = {}) =>
        spawnSync('sh', ['-c', command], { cwd: folder, env: { ...environment, ...env }, encoding: 'utf8' });
      for (const command of ['borg', './borg', 'deep/borg', '"$PWD/borg"', 'names/../borg']) {
        const { stdout, stderr } = run(`mkdir -p names; ${command} --version`);
        assert.equal(stdout, 'borg 1.4.5\n', `${command}: ${stderr}`);
      }
      assert.match(run('chained --version').stdout, /^alcove /);
      assert.equal(run('chained --version', { ALCOVE_AS_BORG: '1' }).stdout, 'borg 1.4.5\n');
      assert.match(run('deep/borg nonsense').stderr, /^usage: borg .*\nborg: error: /);
    });

    it('is borg where Node runs a link of that name', () => {
      const directory = join(scratch, 'direct');
      mkdirSync(directory);
      symlinkSync(join(root, 'bin/alcove.js'), join(directory, 'borg'));
      const { stdout } = spawnSync(process.execPath, [join(directory, 'borg'), '-V'], { encoding: 'utf8' });
      assert.equal(stdout, 'borg 1.4.5\n');
    });

    const noTerminal = spawnSync('script', ['--version']).error ? 'script(1) is missing' : false;

    it('fits the width of the terminal, or what COLUMNS says', { skip: noTerminal }, () => {
      assert.ok(widest('') <= 64 && widest('') > 56);
      assert.ok(widest('COLUMNS=50') <= 50);
    });

    it('hands exit codes on', () => {
      assert.equal(shell('"$0" nonsense').status, 2);
    });

    it('becomes the program, so that whoever ends the process ends the program', async () => {
      const env = { ...process.env, BORG_BASE_DIR: scratch, HOME: scratch };
      // Detached, it has no terminal, and waits for a passphrase on its input.
      const child = spawn(link, ['init', '-e', 'repokey', join(scratch, 'repo')], { env, detached: true });
      try {
        await once(child.stderr, 'data');
        assert.match(readFileSync(`/proc/${child.pid}/cmdline`, 'latin1'), /\/bin\/alcove\.js\0init\0/);
      } finally {
        child.kill('SIGKILL');
      }
    });
  },
);
