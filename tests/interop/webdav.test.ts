/** Other programs read what `webdav` serves: rclone, curl, and davfs2 by the kernel. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { noise } from '../noise.ts';
import { alcoveCommand, Workspace } from '../workspace.ts';

const run = promisify(execFile);

function missing(tool: string, args: readonly string[], packageName: string): string | false {
  const { error } = spawnSync(tool, args);
  return error === undefined ? false : `${tool} is missing: apt-get install ${packageName}`;
}

function whyNoDavfs(): string | false {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  try {
    accessSync('/dev/fuse');
  } catch {
    return 'there is no /dev/fuse';
  }
  return missing('mount.davfs', ['--version'], 'davfs2');
}

const PASSWORD = 'ein Paßwort';
const LARGE_BYTES = 20_000_000;

async function curl(...args: string[]): Promise<Buffer> {
  const options = { encoding: 'buffer', maxBuffer: 1 << 26 } as const;
  return (await run('curl', ['-sS', '-u', `anna:${PASSWORD}`, ...args], options)).stdout;
}

describe('what webdav serves', () => {
  const space = new Workspace();
  const source = space.join('tree');
  let server: ChildProcess;
  let url = '';

  before(async () => {
    mkdirSync(join(source, 'deep/er'), { recursive: true });
    writeFileSync(join(source, 'plain.txt'), 'plain text\n');
    writeFileSync(join(source, 'deep/er/empty'), '');
    writeFileSync(join(source, 'large'), noise(LARGE_BYTES, 1));
    for (const name of ["a b%20c?d#e&f='g'", 'ünï cödé 文', '[x]{y}^`|\\z"', 'trailing.', '~', '+ and ;']) {
      writeFileSync(join(source, 'deep', name), name);
    }
    writeFileSync(Buffer.concat([Buffer.from(`${source}/deep/`), Buffer.from([0x63, 0xe9, 0xff])]), 'bytes');
    utimesSync(join(source, 'plain.txt'), 1_000_000_000, 981_173_106);
    space.alcove(['init', '-e', 'repokey', 'repo']);
    space.alcove(['create', 'repo::monday', 'tree']);
    server = spawn(process.execPath, [alcoveCommand, 'webdav', '--listen', '0', 'repo'], {
      cwd: space.path,
      env: { ...space.env, ALCOVE_WEBDAV_PASSWORD: PASSWORD },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    for await (const data of server.stdout!.iterator({ destroyOnReturn: false })) {
      stdout += String(data);
      if (stdout.includes('\n')) break;
    }
    url = /http:\S+/.exec(stdout)?.[0] ?? '';
    assert.ok(url, stdout);
  });

  after(async () => {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    const [code] = await ended;
    space[Symbol.dispose]();
    assert.equal(code, 0);
  });

  it('is for rclone what the source is', { skip: missing('rclone', ['version'], 'rclone') }, async () => {
    const pass = execFileSync('rclone', ['obscure', PASSWORD], { encoding: 'utf8' }).trim();
    const noRetries = { RCLONE_RETRIES: '1', RCLONE_LOW_LEVEL_RETRIES: '1' };
    const settings = {
      RCLONE_WEBDAV_URL: url,
      RCLONE_WEBDAV_USER: 'anna',
      RCLONE_WEBDAV_PASS: pass,
      ...noRetries,
    };
    const env = { ...space.env, ...settings, RCLONE_CONFIG: space.join('rclone.conf') };
    writeFileSync(space.join('rclone.conf'), '');
    const rclone = (...args: string[]) => run('rclone', args, { env });
    const remote = ':webdav:monday/tree';
    // Names are text to rclone: what is not UTF-8 it can list, but not compare.
    const odd = ['--exclude', 'deep/c*'];
    await rclone('check', '--download', ...odd, remote, source);
    const { stdout } = await rclone('lsl', remote);
    assert.match(stdout, / 2001-02-03 04:05:06\.0+ plain\.txt$/m);
    assert.match(stdout, / 20000000 .* large$/m);
    await rclone('copy', ...odd, `${remote}/deep`, space.join('copy'));
    assert.equal(readFileSync(space.join('copy/ünï cödé 文'), 'utf8'), 'ünï cödé 文');
    await assert.rejects(rclone('copyto', source, `${remote}/new`));
    await assert.rejects(rclone('deletefile', `${remote}/plain.txt`));
  });

  it('comes to curl in ranges, and by bytes', { skip: missing('curl', ['--version'], 'curl') }, async () => {
    const large = readFileSync(join(source, 'large'));
    const at = `${url}monday/tree/large`;
    assert.ok((await curl(at)).equals(large));
    assert.ok((await curl('-r', '3000000-9999999', at)).equals(large.subarray(3_000_000, 10_000_000)));
    assert.ok((await curl('-r', '-1000', at)).equals(large.subarray(-1000)));
    writeFileSync(space.join('part'), large.subarray(0, 12_345_678));
    await curl('-C', '-', '-o', space.join('part'), at);
    assert.ok(readFileSync(space.join('part')).equals(large));
    assert.equal(String(await curl(`${url}monday/tree/deep/c%E9%FF`)), 'bytes');
    rmSync(space.join('part'));
  });

  it('is a file system by davfs2', { skip: whyNoDavfs() }, async (test) => {
    const path = space.join('mnt');
    mkdirSync(path);
    writeFileSync(space.join('davfs2.conf'), 'use_locks 0\nask_auth 1\n');
    const mount = spawn('mount.davfs', ['-o', `ro,conf=${space.join('davfs2.conf')}`, url, path], {
      stdio: 'pipe',
    });
    mount.stdin.end(`anna\n${PASSWORD}\n`);
    let said = '';
    mount.stderr.on('data', (data) => (said += String(data)));
    const [code] = await once(mount, 'close');
    if (/not permitted|denied/i.test(said)) return test.skip(`mounting is not permitted: ${said}`);
    assert.equal(code, 0, said);
    try {
      // Not by listing: davfs2 1.6.1 gives newer kernels no directories, whatever the server.
      const plain = join(path, 'monday/tree/plain.txt');
      assert.equal(readFileSync(plain, 'utf8'), 'plain text\n');
      assert.equal(statSync(plain).mtimeMs, 981_173_106_000);
      assert.equal(statSync(join(path, 'monday/tree/large')).size, LARGE_BYTES);
      assert.ok(readFileSync(join(path, 'monday/tree/large')).equals(readFileSync(join(source, 'large'))));
      assert.throws(() => writeFileSync(join(path, 'new'), ''));
    } finally {
      await run('umount', [path]);
    }
  });
});
