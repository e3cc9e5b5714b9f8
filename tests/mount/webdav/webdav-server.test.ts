/** Archives over real sockets. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Archive } from '../../../src/archive/archive.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { exportTar } from '../../../src/archive/tar/export-tar.ts';
import { FolderTars } from '../../../src/mount/webdav/folder-tar.ts';
import { ServedTree } from '../../../src/mount/webdav/served-tree.ts';
import { startWebdavServer } from '../../../src/mount/webdav/webdav-server.ts';
import { fromUtf8, toHex, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { CraftedRepository } from '../crafted-vfs.ts';

const chunks = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(2 ** 20));
const ACL = fromUtf8('user::rw-,group::r--,other::r--');

class ServedRepository implements AsyncDisposable {
  readonly made: CraftedRepository;
  readonly url: string;
  readonly #dispose: () => Promise<void>;

  private constructor(made: CraftedRepository, url: string, dispose: () => Promise<void>) {
    this.made = made;
    this.url = url;
    this.#dispose = dispose;
  }

  static async start(): Promise<ServedRepository> {
    const made = await new CraftedRepository().add('monday', async (crafter) => {
      crafter.add({ path: 'home', mode: 0o40755 }).add({ path: 'home/anna', mode: 0o40700 });
      await crafter.addFile('home/anna/notes.txt', 'remember ', 'the milk\n');
      await crafter.addFile('home/anna/big', ...chunks);
      crafter.add({ path: 'home/anna/other name', source: 'home/anna/notes.txt' });
      const shared = [await crafter.chunk(fromUtf8('shared\n'))];
      crafter.add({ path: 'elsewhere', chunks: shared, size: 7, mtimeNs: 1_500_000_000_123_456_789n });
      const xattrs = new Map([['user.note', fromUtf8('hi')]]);
      crafter.add({ path: 'home/anna/acl', chunks: [], size: 0, aclAccess: ACL, xattrs });
      crafter.add({ path: 'home/anna/linked', source: 'elsewhere' });
      crafter.add({ path: 'home/annabel', mode: 0o40755 });
    });
    const vfs = await made.openAll();
    const { ctx, ...source } = made.source();
    const tree = new ServedTree({
      vfs,
      title: 'repo',
      archive: (bytes) => {
        const name = toUtf8Lossy(bytes);
        const entry = made.archives.get(name);
        return entry && { name, idHex: toHex(entry.id) };
      },
      stripComponents: 0,
    });
    const options = { matcher: PatternMatcher.build([]), stripComponents: 0, considerPartFiles: false };
    const tars = new FolderTars(ctx, source, options);
    const server = await startWebdavServer(ctx, { host: '127.0.0.1', port: 0, tree, tars, iec: false });
    return new ServedRepository(made, server.url, async () => {
      await server[Symbol.asyncDispose]();
      await vfs.close();
    });
  }

  /** Waits until it has. */
  async hasLogged(text: RegExp): Promise<void> {
    while (!text.test(this.made.logged.join('\n'))) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispose();
  }
}

/** What export-tar writes of the archive. */
async function exported(made: CraftedRepository, paths: string[], stripComponents: number): Promise<Buffer> {
  const { ctx, ...source } = made.source();
  const file = join(tmpdir(), `alcove-webdav-${process.pid}.tar`);
  try {
    await exportTar(ctx, await Archive.open(source, 'monday'), {
      file: { path: fromUtf8(file) },
      format: 'PAX',
      matcher: PatternMatcher.build([], paths),
      stripComponents,
    });
    return readFileSync(file);
  } finally {
    rmSync(file, { force: true });
  }
}

describe('startWebdavServer()', () => {
  it('serves files of an archive, whole and in parts', async () => {
    await using served = await ServedRepository.start();
    const url = `${served.url}monday/home/anna/`;
    assert.equal(await (await fetch(`${url}notes.txt`)).text(), 'remember the milk\n');
    assert.equal(await (await fetch(`${url}other%20name`)).text(), 'remember the milk\n');
    const whole = await (await fetch(`${url}big`)).text();
    assert.ok(whole === chunks.join(''));
    const part = await fetch(`${url}big`, { headers: { range: 'bytes=1048570-1048581' } });
    assert.deepEqual([part.status, await part.text()], [206, 'aaaaaabbbbbb']);
  });

  it('gives a directory as the tar that export-tar makes of it', async () => {
    await using served = await ServedRepository.start();
    const response = await fetch(`${served.url}monday/home/anna/?download=tar`);
    const disposition = `attachment; filename="anna.tar"; filename*=UTF-8''anna.tar`;
    assert.equal(response.headers.get('content-disposition'), disposition);
    const tar = Buffer.from(await response.arrayBuffer());
    assert.ok(tar.equals(await exported(served.made, ['home/anna'], 1)));
    // The first name of the file is not in it: this one has its contents.
    assert.ok(tar.includes('shared\n') && tar.includes('anna/linked') && !tar.includes('annabel'));
    assert.ok(tar.includes('SCHILY.xattr.user.note=hi') && tar.includes('SCHILY.acl.access='));
    const all = Buffer.from(await (await fetch(`${served.url}monday/?download=tar`)).arrayBuffer());
    assert.ok(all.equals(await exported(served.made, [], 0)));
  });

  it('breaks off a file that is damaged, and a tar with it, and says so', async () => {
    await using served = await ServedRepository.start();
    const archive = await Archive.open(served.made.source(), 'monday');
    for await (const item of archive.items()) {
      if (toUtf8Lossy(item.path) === 'home/anna/big') served.made.objects.delete(toHex(item.chunks![2]!.id));
    }
    const url = `${served.url}monday/home/anna/`;
    const response = await fetch(`${url}big`);
    assert.equal(response.status, 200);
    await assert.rejects(response.text());
    const behind = await fetch(`${url}big`, { headers: { range: 'bytes=2097152-' } });
    assert.equal(behind.status, 500);
    await assert.rejects(fetch(`${url}?download=tar`).then((reply) => reply.text()));
    assert.equal(await (await fetch(`${url}notes.txt`)).text(), 'remember the milk\n');
    // The client may know it before the server has said it.
    await served.hasLogged(/error: monday\/home\/anna\/big: /);
    await served.hasLogged(/error: 127\.0\.0\.1 GET \/monday\/home\/anna\/big: broken off after \d+ bytes: /);
    await served.hasLogged(/error: home\/anna\/big: contents are missing or damaged in the repository/);
  });

  it('logs each request in one line of plain characters, without its password', async () => {
    await using served = await ServedRepository.start();
    const { port } = new URL(served.url);
    const authorization = `Basic ${Buffer.from('anna:geheim').toString('base64')}`;
    const options = { port, host: '127.0.0.1', path: '/a%0Ab?%1B', headers: { authorization } };
    await new Promise((resolve) => {
      request(options, (response) => response.resume().once('end', resolve)).end();
    });
    await served.hasLogged(/^info: 127\.0\.0\.1 GET \/a%0Ab\?%1B 404 \d+$/m);
    assert.ok(!served.made.logged.join().includes(authorization));
  });

  it('says where it can not listen', async () => {
    await using served = await ServedRepository.start();
    const port = Number(new URL(served.url).port);
    const { ctx } = served.made.source();
    const tree = new ServedTree({
      vfs: await served.made.openAll(),
      title: '',
      archive: { name: '', idHex: '' },
      stripComponents: 0,
    });
    await assert.rejects(startWebdavServer(ctx, { host: '127.0.0.1', port, tree, iec: false }), {
      message: `Error: can't listen on 127.0.0.1:${port}: [Errno 98] Address already in use`,
    });
  });
});
