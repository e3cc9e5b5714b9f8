// How much longer commands take where the server is far away: `node bench/latency.mjs [MS [FILES]]`. Creates and extracts an
// archive of small files, brings a lost cache in step, lists and deletes, over a connection without and with MS of added
// round trip time, and prints seconds and their ratio. Builds nothing: run `npm run build` first.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [addedMs = '50', fileCount = '10000'] = process.argv.slice(2);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const command = here('../bin/alcove.js');
const work = mkdtempSync(join(tmpdir(), 'alcove-latency-'));
const server = process.env['BENCH_SERVER'] ?? `'${process.execPath}' '${command}'`;
const quick = run('quick', { BORG_RSH: here('../tests/remote/fake-ssh') });
const none = run('relay', { BORG_RSH: here('../tests/remote/slow-ssh.mjs'), SLOW_SSH_MS: '0' });
const far = run('far', { BORG_RSH: here('../tests/remote/slow-ssh.mjs'), SLOW_SSH_MS: addedMs });

try {
  makeFiles(join(work, 'files'), Number(fileCount));
  console.log(`${fileCount} files; seconds`);
  console.log('                 direct   relayed   +' + `${addedMs} ms`.padEnd(9) + 'ratio to relayed');
  for (const step of ['create', 'extract', 'sync', 'list', 'delete']) {
    const seconds = [quick, none, far].map((side) => side(step));
    const ratio = (seconds[2] / seconds[1]).toFixed(2);
    console.log(step.padEnd(15), ...seconds.map((value) => value.toFixed(2).padStart(8)), ratio.padStart(8));
  }
} finally {
  rmSync(work, { recursive: true });
}

function makeFiles(root, count) {
  for (let number = 0; number < count; number++) {
    const folder = join(root, String(number % 100));
    if (number < 100) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, String(number)), `${number} `.repeat(200));
  }
}

function run(name, env) {
  const home = join(work, name);
  mkdirSync(home);
  const repository = `ssh://host${home}/repository`;
  const options = {
    encoding: 'utf8',
    cwd: home,
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      BORG_BASE_DIR: home,
      BORG_PASSPHRASE: 'bench',
      BORG_REMOTE_PATH: server,
      ...env,
    },
  };
  const alcove = (...args) => {
    const startMs = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [command, ...args], options);
    if (status !== 0) throw new Error(`${args.join(' ')}: exit ${status}\n${stderr}`);
    return (performance.now() - startMs) / 1000;
  };
  return (step) => {
    switch (step) {
      case 'create':
        alcove('init', '-e', 'repokey', repository);
        return alcove('create', `${repository}::one`, join(work, 'files'));
      case 'extract':
        return alcove('extract', `${repository}::one`);
      case 'sync':
        alcove('create', `${repository}::two`, join(work, 'files/1'));
        alcove('delete', '--cache-only', repository);
        return alcove('create', `${repository}::three`, join(work, 'files/2'));
      case 'list':
        return alcove('list', `${repository}::one`);
      default:
        return alcove('delete', `${repository}::one`);
    }
  };
}
