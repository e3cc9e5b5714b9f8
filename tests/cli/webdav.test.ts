/** `webdav`: where it listens, for whom, what it shows, and how it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SignalReceived } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';
import { Scratch } from '../archive/scratch.ts';
import { alcoveCommand } from '../workspace.ts';
import { type FakeIo, fakeIo, type FakeOptions } from './fake-io.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const unbuilt = existsSync(join(root, 'dist/command/main.cjs')) ? false : 'dist/ is not built';

let scratch: Scratch;
let settings: { cwd: string; env: Record<string, string> };

/** Runs the command until `use` has seen enough. */
async function withServer(
  args: string[],
  use: (server: { url: string; io: FakeIo }) => Promise<void>,
  options: FakeOptions = {},
): Promise<void> {
  const stop = new AbortController();
  const argv = ['webdav', '--listen', '127.0.0.1:0', ...args];
  const env = { ...settings.env, ...options.env };
  const io = fakeIo(argv, { ...settings, ...options, env, signal: stop.signal });
  const code = main(io);
  const ended = code.then(() => true);
  while (!/http:\S+/.test(io.stdout.text)) {
    if (await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5))])) break;
  }
  const url = /http:\S+/.exec(io.stdout.text)?.[0];
  assert.ok(url, io.stderr.text);
  try {
    await use({ url, io });
  } finally {
    stop.abort(new SignalReceived('SIGINT'));
  }
  assert.equal(await code, 0, io.stderr.text);
}

const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`anna:${password}`).toString('base64')}`,
});

async function asksForPassword({ url, io }: { url: string; io: FakeIo }): Promise<void> {
  assert.equal((await fetch(url)).status, 401);
  assert.equal((await fetch(url, { headers: basic('ge heim') })).status, 200);
  assert.ok(!`${io.stdout.text}${io.stderr.text}`.includes('ge heim'));
}

describe('alcove webdav', () => {
  before(async () => {
    scratch = new Scratch();
    scratch.write('source/notes.txt', 'remember the milk\n');
    scratch.write('source/other.txt', 'other\n');
    settings = {
      cwd: scratch.path,
      env: { BORG_BASE_DIR: scratch.path, BORG_PASSPHRASE: 'scratch', BORG_REPO: scratch.join('repository') },
    };
    await scratch.init();
    for (const name of ['monday', 'tuesday', 'friday']) await scratch.create(name);
  });
  after(() => scratch[Symbol.dispose]());

  it('says where it serves what, and ends well when it is told to stop', async () => {
    await withServer(['::monday'], async ({ url, io }) => {
      assert.equal(io.stdout.text, `Serving ${scratch.path}/repository::monday at ${url}\n`);
      assert.match(io.stderr.text, /Without a password, every user of this machine/);
      assert.equal(await (await fetch(`${url}source/notes.txt`)).text(), 'remember the milk\n');
    });
    await using _session = await scratch.open();
  });

  it('serves of a repository the archives that are selected, and of these what is', async () => {
    const selection = ['--glob-archives', '*day', '--last', '2', '--strip-components', '1'];
    await withServer([...selection, '--exclude', '*/other.txt'], async ({ url }) => {
      const page = await (await fetch(url)).text();
      assert.ok(page.includes('>tuesday<') && page.includes('>friday<') && !page.includes('>monday<'));
      assert.equal(await (await fetch(`${url}tuesday/notes.txt`)).text(), 'remember the milk\n');
      assert.equal((await fetch(`${url}tuesday/other.txt`)).status, 404);
      const tar = await (await fetch(`${url}tuesday/?download=tar`)).text();
      assert.ok(tar.includes('notes.txt') && !tar.includes('source/') && !tar.includes('other.txt'));
    });
  });

  const ways: [string, string[], FakeOptions][] = [
    ['from the environment', [], { env: { ALCOVE_WEBDAV_PASSWORD: 'ge heim' } }],
    [
      'from a file',
      ['--password-file', 'f'],
      { files: { f: 'ge heim\nnot this' }, env: { ALCOVE_WEBDAV_PASSWORD: 'not this' } },
    ],
    ['from the terminal', ['--ask-password'], { passphrases: ['ge heim'] }],
  ];
  for (const [where, args, options] of ways) {
    it(`asks for a password ${where}, and never logs it`, async () => {
      await withServer(['--debug', ...args], asksForPassword, options);
    });
  }

  it('makes a password, and prints it once, where it is no part of a log', async () => {
    await withServer(['--debug', '--generate-password'], async ({ url, io }) => {
      const password = /^Password: ([\w-]{20}) /m.exec(io.stdout.text)![1]!;
      assert.equal((await fetch(url, { headers: basic(password) })).status, 200);
      assert.ok(!io.stderr.text.includes(password));
    });
  });

  const refused: [string, string[], RegExp, FakeOptions?][] = [
    ['a name as an address', ['--listen', 'example.org:80'], /an address and a port are needed/],
    ['a port beyond all ports', ['--listen', '127.0.0.1:99999'], /an address and a port are needed/],
    ['an address alone', ['--listen', '127.0.0.1'], /an address and a port are needed/],
    [
      'all addresses without a password',
      ['--listen', '0.0.0.0:0'],
      /needs a password\. Add --generate-password/,
    ],
    ['all of IPv6 without a password', ['--listen', '[::]:0'], /needs a password/],
    [
      'another machine’s address',
      ['--listen', '192.0.2.1:0', '--generate-password'],
      /can't listen on 192\.0\.2\.1:0/,
    ],
    ['a selection of one archive', ['--last', '1', '::monday'], /make no sense where one is named/],
    ['two passwords', ['--generate-password', '--password-file', 'f'], /not allowed with/],
    ['a password file that is not there', ['--password-file', 'nowhere'], /--password-file: .*No such file/],
    ['an empty password', [], /the password of the server is empty/, { env: { ALCOVE_WEBDAV_PASSWORD: '' } }],
    ['to ask nobody', ['--ask-password'], /--ask-password needs a terminal/],
    ['an archive that is not there', ['::nothing'], /Archive nothing does not exist/],
  ];
  for (const [what, args, text, options = {}] of refused) {
    it(`refuses ${what}`, async () => {
      const env = { ...settings.env, ...options.env };
      const io = fakeIo(['webdav', '--listen', '127.0.0.1:0', ...args], { ...settings, ...options, env });
      assert.equal(await main(io), 2);
      assert.match(io.stderr.text, text);
    });
  }

  it(
    'as a process ends by SIGTERM while a file is on its way, and is unlocked',
    { skip: unbuilt },
    async () => {
      scratch.write('source/large', new Uint8Array(40_000_000));
      await scratch.create('large');
      const child = spawn(process.execPath, [alcoveCommand, 'webdav', '--listen', '0', '::large'], {
        cwd: settings.cwd,
        env: { ...process.env, ...settings.env },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let stdout = '';
      for await (const data of child.stdout.iterator({ destroyOnReturn: false })) {
        stdout += String(data);
        if (stdout.includes('\n')) break;
      }
      const response = await fetch(`${/http:\S+/.exec(stdout)![0]}source/large`);
      const reader = response.body!.getReader();
      await reader.read();
      assert.ok(existsSync(scratch.join('repository/lock.roster')));
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
      await reader.cancel().catch(() => {});
      await using _session = await scratch.open();
    },
  );
});
