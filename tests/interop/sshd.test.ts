/** Both programs as clients through a real ssh, with a key that may run one command only. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noise } from '../noise.ts';
import { Workspace } from '../workspace.ts';

const sshd = '/usr/sbin/sshd';
const program = fileURLToPath(new URL('../../bin/alcove', import.meta.url));

it('through sshd a client may do what its key may', { skip: reasonToSkip() }, async () => {
  using space = new Workspace();
  mkdirSync(space.join('bin'));
  symlinkSync(program, space.join('bin/borg'));
  for (const name of ['host', 'key']) {
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', space.join(name)]);
  }
  const command = `${space.join('bin/borg')} serve --restrict-to-path ${space.join('hosted')} --append-only`;
  const publicKey = readFileSync(space.join('key.pub'), 'utf8');
  writeFileSync(space.join('authorized'), `command="${command}",restrict ${publicKey}`);
  const port = await freePort();
  const options = {
    Port: port,
    ListenAddress: '127.0.0.1',
    HostKey: space.join('host'),
    AuthorizedKeysFile: space.join('authorized'),
    PidFile: space.join('pid'),
    PermitRootLogin: 'yes',
    StrictModes: 'no',
    UsePAM: 'no',
  };
  const args = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const daemon = spawn(sshd, ['-D', '-f', '/dev/null', ...args], { stdio: 'ignore' });
  try {
    await listening(port);
    const settings = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'BatchMode=yes',
    ];
    const given = settings.map((setting) => `-o ${setting}`).join(' ');
    space.env['BORG_RSH'] = `ssh -F /dev/null -i ${space.join('key')} ${given}`;
    mkdirSync(space.join('hosted'));
    mkdirSync(space.join('tree'));
    writeFileSync(space.join('tree/noise'), noise(3_000_000, 1));
    const url = (path: string) => `ssh://${userInfo().username}@127.0.0.1:${port}${space.join(path)}`;
    const repository = url('hosted/repo');
    space.borg(['init', '--encryption', 'repokey', repository]);
    space.borg(['create', `${repository}::first`, 'tree']);
    space.borg(['extract', '--dry-run', `${repository}::first`]);
    space.borg(['check', '--verify-data', repository]);
    assert.ok(!existsSync(space.join('hosted/repo/lock.exclusive')));
    const outside = space.borg(['init', '--encryption', 'none', url('elsewhere')], { accept: [2] });
    assert.match(outside.stderr, /^Repository path not allowed: /);
    assert.match(space.borg(['delete', repository], { accept: [2] }).stderr, /append-only mode/);
    space.alcove(['check', space.join('hosted/repo')]);
  } finally {
    const ended = new Promise((resolve) => daemon.once('close', resolve));
    daemon.kill();
    await ended;
  }
});

function reasonToSkip(): string | false {
  if (!existsSync(sshd)) return `there is no ${sshd}`;
  if (spawnSync('ssh', ['-V']).error) return 'there is no ssh';
  if (process.getuid?.() === 0 && !existsSync('/run/sshd')) return 'sshd needs /run/sshd';
  return false;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number): Promise<void> {
  for (let n = 0; n < 100; n++) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('sshd does not listen');
}
