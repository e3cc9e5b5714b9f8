import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { main } from '../../src/cli/main.ts';
import { SignalReceived } from '../../src/cli/io.ts';
import { fakeIo, type FakeIo, type FakeOptions } from './fake-io.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-cli-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const plain = join(scratch, 'plain');
writeFileSync(plain, 'plain');

const env = { BORG_BASE_DIR: join(scratch, 'home'), BORG_PASSPHRASE: 'secret-4711', TZ: 'UTC' };

async function run(argv: string[], options: FakeOptions = {}): Promise<FakeIo & { code: number }> {
  const io = fakeIo(argv, { cwd: scratch, env, ...options });
  const code = await main(io);
  return Object.assign(io, { code });
}

const shown = (io: FakeIo) => io.stderr.text.replaceAll('\x1b', 'ESC');

describe('main()', () => {
  it('prints its own version, and that of the Borg that it follows', async () => {
    const { code, stdout, stderr } = await run(['--version']);
    assert.deepEqual([code, stderr.text], [0, '']);
    assert.match(stdout.text, /^alcove \S+ \(borg 1\.4\.5\)\n$/);
  });

  it("prints Borg's version under Borg's name", async () => {
    for (const option of ['--version', '-V']) {
      const { stdout } = await run([option], { name: 'borg' });
      assert.equal(stdout.text, 'borg 1.4.5\n');
    }
  });

  it('names itself in usage, hints and help by the name that it was started by', async () => {
    const { stderr } = await run(['create', '--nonsense', 'r::a', 'x'], { name: 'borg' });
    assert.deepEqual(stderr.lines, [
      'usage: borg [options] <command> ...',
      'borg: error: unrecognized arguments: --nonsense',
      '"borg create --help" lists the options.',
    ]);
    const { stdout } = await run(['create', '--help'], { name: 'borg' });
    assert.match(stdout.text, /^usage: borg create /);
    assert.match(stdout.text, /^ {2}borg create /m);
    assert.doesNotMatch(stdout.text, /alcove/);
  });

  it('shows usage and one line for a command line that makes no sense', async () => {
    const { code, stdout, stderr } = await run(['create', '--nonsense', 'r::a', 'x']);
    assert.deepEqual([code, stdout.text], [2, '']);
    assert.deepEqual(stderr.lines, [
      'usage: alcove [options] <command> ...',
      'alcove: error: unrecognized arguments: --nonsense',
      '"alcove create --help" lists the options.',
    ]);
  });

  it('names the command in its usage errors', async () => {
    const { code, stderr } = await run(['create', '-C', 'rot13', 'r::a', 'x']);
    assert.equal(code, 2);
    assert.deepEqual(stderr.lines, [
      'usage: alcove create [options] ARCHIVE [PATH ...]',
      'alcove create: error: argument -C/--compression: unsupported compression type',
      '"alcove help compression" lists what there is.',
    ]);
  });

  for (const [argv, hint] of [
    [['creat', 'r::a', 'x'], 'Did you mean "create"?'],
    [['restore', 'r::a'], 'Did you mean "extract"?'],
    [['key', 'exprot', 'r'], 'Did you mean "export"?'],
    [['create', '--exlude-caches', 'r::a', 'x'], 'Did you mean "--exclude-caches"?'],
    [['--lock-wiat=3', 'list', 'r'], 'Did you mean "--lock-wait"?'],
    [['init', '-e', 'repokeys', 'r'], 'Did you mean "repokey"?'],
    [['create', '-C', 'zst,3', 'r::a', 'x'], 'Did you mean "zstd"?'],
    [['list', '--sort-by', 'tmestamp', 'r'], 'Did you mean "timestamp"?'],
    [['help', 'pattern'], 'Did you mean "patterns"?'],
    [['help', 'lists'], 'Did you mean "list"?'],
  ] as const) {
    it(`suggests what may be meant: ${argv.join(' ')}`, async () => {
      const { code, stderr } = await run([...argv]);
      assert.equal(code, 2);
      assert.equal(stderr.lines.at(-1), hint);
    });
  }

  it('refuses help on what it does not know as a wrong command line', async () => {
    const { code, stderr } = await run(['help', 'nonsense']);
    assert.equal(code, 2);
    assert.match(stderr.text, /^usage: .*\nalcove: error: No help available on nonsense\.\n/);
    assert.doesNotMatch(stderr.text, /Internal error/);
  });

  it('shows an error, what to do about it, and no stack', async () => {
    const { code, stdout, stderr } = await run(['list', 'nowhere']);
    assert.deepEqual([code, stdout.text], [2, '']);
    assert.deepEqual(stderr.lines, [
      `Repository ${scratch}/nowhere does not exist.`,
      'Check the path, or create the repository with "init" or "backup".',
    ]);
  });

  it('shows the stack and the system with --debug', async () => {
    const { stderr } = await run(['list', '--debug', 'nowhere']);
    assert.match(stderr.text, /\n {4}at /);
    assert.match(stderr.text, /\n\nPlatform: .*\n(?:Linux: .*\n)?Borg: 1\.4\.5 {2}alcove: /);
    assert.match(stderr.text, /\nsys\.argv: \['alcove', 'list', '--debug', 'nowhere'\]\n/);
  });

  it('keeps the system to itself with BORG_SHOW_SYSINFO=no', async () => {
    const { stderr } = await run(['list', '--debug', 'nowhere'], {
      env: { ...env, BORG_SHOW_SYSINFO: 'No' },
    });
    assert.match(stderr.text, /\n {4}at /);
    assert.doesNotMatch(stderr.text, /Platform|sys\.argv|PID/);
  });

  it('shows a fault of its own with the stack, also without --debug', async () => {
    const io = fakeIo(['debug', 'convert-profile', 'a', 'b'], { cwd: scratch, env });
    const code = await main({ ...io, readFile: () => Promise.reject(new TypeError('made up')) });
    assert.equal(code, 2);
    assert.match(io.stderr.text, /^Internal error: TypeError: made up\nThis is a fault in alcove\. /);
    assert.match(io.stderr.text, /\nTypeError: made up\n {4}at [^]*\n\nPlatform: /);
  });

  it('writes a profile with --debug-profile', async () => {
    const { code } = await run(['debug', 'info', '--debug-profile', 'run.cpuprofile']);
    assert.equal(code, 0);
    const profile = JSON.parse(readFileSync(join(scratch, 'run.cpuprofile'), 'utf8')) as { nodes: unknown[] };
    assert.ok(profile.nodes.length > 0);
  });

  it('does not run a command whose profile could not be written', async () => {
    const { code, stdout, stderr } = await run(['debug', 'info', '--debug-profile', 'no/such/folder']);
    assert.deepEqual([code, stdout.text], [2, '']);
    assert.match(stderr.text, /^Error: \[Errno 2\] No such file or directory: /);
  });

  it('shows errors in red at a terminal, and hints as they are', async () => {
    const terminal = { columns: 80, env: { ...env, TERM: 'xterm' } };
    const failed = await run(['list', 'nowhere'], terminal);
    assert.match(shown(failed), /^ESC\[31mRepository .* does not exist\.ESC\[0m\nCheck the path/);
    const refused = await run(['lits'], terminal);
    assert.match(shown(refused), /^usage: .*\nESC\[31malcove: error: .*ESC\[0m\nDid you mean "list"\?\n$/);
    const plain = await run(['list', 'nowhere'], { columns: 80, env: { ...terminal.env, NO_COLOR: '1' } });
    assert.doesNotMatch(shown(plain), /ESC/);
  });

  it('gives specific exit codes where they are asked for', async () => {
    const { code } = await run(['list', 'nowhere'], { env: { ...env, BORG_EXIT_CODES: 'modern' } });
    assert.equal(code, 13);
  });

  it('logs the exit code with --show-rc', async () => {
    const { stderr } = await run(['list', '--show-rc', 'nowhere']);
    assert.equal(stderr.lines.at(-1), 'terminating with error status, rc 2');
  });

  it('writes errors as JSON, without the hint, with --log-json', async () => {
    const { stderr } = await run(['list', '--log-json', 'nowhere']);
    const records = stderr.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(records.length, 1);
    assert.equal(records[0]!['msgid'], 'Repository.DoesNotExist');
    assert.equal(records[0]!['levelname'], 'ERROR');
  });

  it('explains errors of the operating system', async () => {
    const { code, stderr } = await run(['create', 'plain/below::a', 'plain']);
    assert.equal(code, 2);
    assert.match(stderr.text, /^(?:Repository|Error: \[Errno \d+\]) .*plain\/below/);
    assert.doesNotMatch(stderr.text, /Internal error/);
  });

  it('ends with 128 + n where a signal stopped it', async () => {
    const controller = new AbortController();
    await run(['init', '-e', 'none', 'signal-repo']);
    controller.abort(new SignalReceived('SIGTERM'));
    const { code, stderr } = await run(['create', 'signal-repo::a', plain], { signal: controller.signal });
    assert.equal(code, 143);
    assert.deepEqual(stderr.lines, ['Received SIGTERM']);
  });

  it('never shows a passphrase', async () => {
    const init = await run(['init', '--debug', '-e', 'repokey', 'secret-repo']);
    assert.equal(init.code, 0);
    const create = await run(['create', '--debug', '--stats', 'secret-repo::a', plain]);
    assert.equal(create.code, 0);
    const wrong = await run(['list', '--debug', 'secret-repo'], {
      env: { ...env, BORG_PASSPHRASE: 'wrong-0815' },
    });
    assert.equal(wrong.code, 2);
    for (const { stdout, stderr } of [init, create, wrong]) {
      assert.doesNotMatch(stdout.text + stderr.text, /4711|0815/);
    }
  });
});

describe('help', () => {
  it('lists commands and topics', async () => {
    const { code, stdout } = await run(['help']);
    assert.equal(code, 0);
    for (const word of ['backup', 'extract', 'key export', 'patterns', 'compression', '--lock-wait']) {
      assert.ok(stdout.text.includes(word), word);
    }
  });

  it('fits the terminal', async () => {
    for (const name of ['', 'create', 'list', 'init', 'key', 'key export']) {
      const { stdout } = await run([...name.split(' ').filter(Boolean), '--help']);
      for (const line of stdout.lines) assert.ok(line.length <= 110, `${name}: ${line}`);
    }
  });

  it('leaves out the description with --usage-only, and all else with --epilog-only', async () => {
    const { stdout: whole } = await run(['help', 'rename']);
    const { stdout: usage } = await run(['help', '--usage-only', 'rename']);
    const { stdout: epilog } = await run(['help', '--epilog-only', 'rename']);
    assert.match(usage.text, /^usage: alcove rename [^]*--lock-wait/);
    assert.doesNotMatch(usage.text, /Examples/);
    assert.match(epilog.text, /Examples/);
    assert.doesNotMatch(epilog.text, /usage:|--lock-wait/);
    for (const line of [...usage.lines, ...epilog.lines]) assert.ok(whole.lines.includes(line), line);
  });

  for (const topic of ['patterns', 'placeholders', 'compression']) {
    it(`explains ${topic}`, async () => {
      const { code, stdout } = await run(['help', topic]);
      assert.equal(code, 0);
      assert.match(stdout.text, /\balcove create\b/);
    });
  }

  it('says what there is help on', async () => {
    const { code, stderr } = await run(['help', 'nonsense']);
    assert.equal(code, 2);
    assert.match(
      stderr.text,
      /No help available on nonsense\.\n.*\n.*Commands: backup, .*\n.*Topics: compression/,
    );
  });
});
