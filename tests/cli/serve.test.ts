/** `serve` as a process: what sshd starts, stops and cuts off. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { dataOf, idOf } from '../repository/fakes.ts';
import { serveApart, VERSION, type ServerProcess } from '../remote/test-client.ts';
import { Workspace } from '../workspace.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const unbuilt = existsSync(join(root, 'dist/command/main.cjs')) ? false : 'dist/ is not built';

/** A server with a new repository open, in which something is not yet committed. */
async function busyServer(space: Workspace, args: readonly string[] = []): Promise<ServerProcess> {
  const server = serveApart(args, space.env);
  const { client } = server;
  await client.call('negotiate', { client_data: VERSION });
  await client.call('open', { path: space.join('repo'), create: true, lock_wait: 1, exclusive: true });
  await client.call('commit', { save_space: false });
  await client.call('put', { id: idOf(1), data: dataOf(1) });
  assert.ok(existsSync(space.join('repo/lock.exclusive')));
  return server;
}

describe('alcove serve', { skip: unbuilt }, () => {
  const ends: [string, (server: ServerProcess) => void, number][] = [
    ['its client is done', ({ child }) => child.stdin.end(), 0],
    ['half a message has come', ({ child }) => child.stdin.end(Uint8Array.of(0x93, 1)), 0],
    ['garbage has come', ({ child }) => child.stdin.end('GET / HTTP/1.1\r\n\r\n'), 2],
    ['SIGHUP', ({ child }) => child.kill('SIGHUP'), 129],
    ['SIGTERM', ({ child }) => child.kill('SIGTERM'), 143],
    ['SIGINT', ({ child }) => child.kill('SIGINT'), 130],
    ['nobody reads any more', ({ child }) => child.stdout.destroy(), 2],
  ];
  for (const [what, end, code] of ends) {
    it(`gives the lock back and forgets what was not committed when ${what}`, async () => {
      using space = new Workspace();
      await using server = await busyServer(space);
      end(server);
      assert.equal(await server.ended, code, server.stderr);
      assert.ok(!existsSync(space.join('repo/lock.exclusive')));
      await using again = serveApart([], space.env);
      await again.client.call('open', { path: space.join('repo'), lock_wait: 0, exclusive: true });
      assert.equal(await again.client.call('__len__'), 0);
    });
  }

  it('leaves no half of a repository behind when its client goes before the first commit', async () => {
    using space = new Workspace();
    await using server = serveApart([], space.env);
    await server.client.call('open', { path: space.join('repo'), create: true, lock_wait: 1 });
    await server.client.call('put', { id: idOf(1), data: dataOf(1) });
    server.child.stdin.end();
    assert.equal(await server.ended, 0, server.stderr);
    assert.ok(!existsSync(space.join('repo')));
  });

  it('stops while a client reads nothing of what it asked for', async () => {
    using space = new Workspace();
    await using server = await busyServer(space);
    await server.client.call('put', { id: idOf(2), data: new Uint8Array(1_000_000) });
    server.child.stdout.pause();
    for (let n = 0; n < 50; n++) server.client.ask('get', { id: idOf(2) }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    server.child.kill('SIGTERM');
    server.child.stdout.resume();
    assert.equal(await server.ended, 143);
    assert.ok(!existsSync(space.join('repo/lock.exclusive')));
  });

  it('stops while a client reads nothing of what is logged', async () => {
    using space = new Workspace();
    await using server = await busyServer(space, ['--debug']);
    server.child.stderr.pause();
    for (let n = 0; n < 2000; n++) server.client.ask('shutdown', []).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    server.child.kill('SIGTERM');
    const exited = new Promise((resolve) => server.child.once('exit', resolve));
    assert.equal(await exited, 143);
    server.child.stderr.resume();
    await server.ended;
    assert.ok(!existsSync(space.join('repo/lock.exclusive')));
  });

  it('speaks in lines of text until the client is known to understand JSON', async () => {
    using space = new Workspace();
    await using server = serveApart(['--debug'], space.env);
    const { client } = server;
    await client.ask('open', { path: space.join('none') });
    await client.call('negotiate', { client_data: VERSION });
    await client.ask('open', { path: space.join('none') });
    server.child.stdin.end();
    await server.ended;
    const lines = server.stderr.trimEnd().split('\n');
    assert.match(lines[0]!, /^\$LOG DEBUG root Remote: Resolving repository path /);
    const record = JSON.parse(lines.at(-1)!) as Record<string, unknown>;
    assert.deepEqual([record['type'], record['levelname'], record['name']], ['log_message', 'DEBUG', 'root']);
  });

  it('heeds what a forced command says, and of the client what does not matter', async () => {
    using space = new Workspace();
    const asked = 'LC_X=1 borg serve --debug --restrict-to-path / --storage-quota 50M --umask 0000';
    const env = { ...space.env, SSH_ORIGINAL_COMMAND: asked };
    const restriction = ['--restrict-to-path', space.join('mine')];
    await using server = serveApart(restriction, env);
    const refused = await server.client.fail('open', { path: space.join('repo'), create: true });
    assert.equal(refused.className, 'PathNotAllowed');
    const path = space.join('mine/repo');
    await server.client.call('open', { path, create: true, make_parent_dirs: true });
    assert.match(server.stderr, /^\$LOG DEBUG /);
    assert.match(readFileSync(join(path, 'config'), 'utf8'), /^storage_quota = 0$/m);
    assert.equal(execFileSync('stat', ['-c', '%a', path], { encoding: 'utf8' }), '700\n');
    server.child.stdin.end();
    assert.equal(await server.ended, 0);
    assert.ok(!existsSync(path));
    for (const [original, outcome] of [
      ['borg --version', /^alcove .* \(borg 1\.4\.5\)\n$/],
      ['borg init --encryption=none /elsewhere', /connection close before/],
      ['sh -c true', /^$/],
      ["borg serve 'open", /^$/],
    ] as const) {
      const program = [join(root, 'bin/alcove.js'), 'serve', ...restriction];
      const { stdout } = spawnSync(process.execPath, program, {
        env: { ...space.env, SSH_ORIGINAL_COMMAND: original },
        input: '',
        encoding: 'utf8',
      });
      assert.match(stdout, outcome, original);
    }
  });
});

it('serve loads nothing that can use a key', async () => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/cli/entry.ts' },
    outdir: 'unused',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
    write: false,
  });
  const chunkOf = (input: string) =>
    Object.keys(metafile.outputs).find((output) => input in metafile.outputs[output]!.inputs)!;
  const loaded = new Set<string>();
  const load = (output: string): void => {
    if (loaded.has(output)) return;
    loaded.add(output);
    for (const { path, kind } of metafile.outputs[output]!.imports) {
      if (kind === 'import-statement' && path in metafile.outputs) load(path);
    }
  };
  const commands = ['entry', 'main', 'parse-command-line', 'original-command', 'context', 'commands/serve'];
  const output = ['output/error-text', 'output/system-info', 'exit-code'];
  for (const name of [...commands, ...output]) load(chunkOf(`src/cli/${name}.ts`));
  const inputs = [...loaded].flatMap((chunk) => Object.keys(metafile.outputs[chunk]!.inputs));
  assert.ok(inputs.includes('src/remote/repository-server.ts'));
  const forbidden = inputs.filter((input) => /^src\/(?:crypto|keys|archive|pipeline|compress)\//.test(input));
  assert.deepEqual(forbidden, []);
});
