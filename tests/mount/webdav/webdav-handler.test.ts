import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VfsError } from '../../../src/mount/vfs.ts';
import { Password } from '../../../src/mount/webdav/password.ts';
import { ServedTree } from '../../../src/mount/webdav/served-tree.ts';
import { IntegrityError } from '../../../src/errors.ts';
import { FakeVfs, large, link } from './fake-vfs.ts';
import { failing, serve, statusOf, text } from './serve.ts';

const { ask, vfs } = serve();

const etagOf = async (path: string, server = ask) => (await server('HEAD', path)).headers['etag'];

const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });

describe('GET of a file', () => {
  it('gives the contents and says what they are', async () => {
    const reply = await ask('GET', '/home/notes.txt');
    assert.equal(reply.status, 200);
    assert.equal(await reply.text(), text);
    const { etag, ...headers } = reply.headers;
    assert.match(etag!, /^"[\w-]{22}"$/);
    assert.deepEqual(
      {
        type: headers['content-type'],
        length: headers['content-length'],
        modified: headers['last-modified'],
        ranges: headers['accept-ranges'],
        sniff: headers['x-content-type-options'],
      },
      {
        type: 'text/plain; charset=utf-8',
        length: '18',
        modified: 'Sun, 13 Sep 2020 12:26:40 GMT',
        ranges: 'bytes',
        sniff: 'nosniff',
      },
    );
    assert.equal(vfs.openFiles, 0);
  });

  it('gives HTML where no script can run', async () => {
    const { headers, release } = await ask('GET', '/home/page.html');
    release!();
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.match(headers['content-security-policy']!, /default-src 'none';.*; sandbox$/);
  });

  it('finds names that are not UTF-8 by their bytes', async () => {
    const reply = await ask('GET', '/home/caf%e9%20%3Cb%3E&%22%01');
    assert.equal(await reply.text(), 'not UTF-8');
    assert.equal(reply.headers['content-type'], 'application/octet-stream');
    assert.equal(await statusOf(ask('GET', '/home/caf%C3%A9%20%3Cb%3E&%22%01')), 404);
  });

  it('sends parts, and the whole where the part is of another file', async () => {
    const part = await ask('GET', '/home/notes.txt', { range: 'bytes=-5' });
    assert.equal(part.status, 206);
    assert.equal(part.headers['content-range'], 'bytes 13-17/18');
    assert.equal(await part.text(), 'milk\n');
    const { etag } = part.headers;
    const same = await ask('GET', '/home/notes.txt', { range: 'bytes=0-7', 'if-range': etag! });
    assert.equal(await same.text(), 'remember');
    const other = await ask('GET', '/home/notes.txt', { range: 'bytes=0-7', 'if-range': '"other"' });
    assert.equal(other.status, 200);
    assert.equal(await other.text(), text);
    const head = await ask('HEAD', '/home/notes.txt', { range: 'bytes=0-7' });
    assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '18', undefined]);
    const behind = await ask('GET', '/home/notes.txt', { range: 'bytes=18-' });
    assert.deepEqual([behind.status, behind.headers['content-range']], [416, 'bytes */18']);
  });

  it('sends nothing to who has it already', async () => {
    const { etag } = (await ask('HEAD', '/home/notes.txt')).headers;
    const opened = vfs.openFiles;
    const reply = await ask('GET', '/home/notes.txt', { 'if-none-match': etag! });
    assert.deepEqual([reply.status, reply.body, reply.headers['etag']], [304, undefined, etag]);
    assert.equal(vfs.openFiles, opened);
    assert.equal(await statusOf(ask('GET', '/home/notes.txt', { 'if-match': '"old"' })), 412);
  });

  it('tells files of different places apart, and one place always alike', async () => {
    assert.notEqual(await etagOf('/home/notes.txt'), await etagOf('/home/page.html'));
    assert.equal(await etagOf('/home/notes.txt'), await etagOf('/home/notes.txt', serve().ask));
    assert.equal(await etagOf('/home/to-file'), await etagOf('/home/notes.txt'));
  });

  it('breaks off where a chunk is damaged, and says so before where nothing can be read', async () => {
    const reply = await ask('GET', '/home/broken');
    assert.equal(reply.status, 200);
    const got: Uint8Array[] = [];
    const write = (data: Uint8Array) => Promise.resolve(void got.push(data));
    await assert.rejects((reply.body as (w: typeof write) => Promise<void>)(write), VfsError);
    assert.equal(Buffer.concat(got).length, 2 ** 20);
    reply.release!();
    assert.equal(await statusOf(ask('GET', '/home/broken', { range: 'bytes=2000000-' })), 500);
    assert.equal(vfs.openFiles, 0);
  });

  it('reads no further when nobody takes it', async () => {
    const { ask: get, vfs: fake } = serve({}, new FakeVfs({ big: large(1e9) }));
    const gone = new AbortController();
    const reply = await get('GET', '/big', {}, '', gone.signal);
    let pieces = 0;
    const write = () => {
      pieces += 1;
      if (pieces === 3) gone.abort(new Error('gone'));
      return gone.signal.aborted ? Promise.reject(gone.signal.reason as Error) : Promise.resolve();
    };
    await assert.rejects((reply.body as (w: typeof write) => Promise<void>)(write), /gone/);
    reply.release!();
    assert.ok(fake.readBytes <= 4 * 2 ** 20, `${fake.readBytes} bytes read`);
    assert.equal(fake.openFiles, 0);
  });

  for (const target of [
    '/nothing',
    '/home/notes.txt/',
    '/home/notes.txt/x',
    '/home/../home/notes.txt',
    '/home%2Fnotes.txt',
    '//home',
    '/home/%',
    '*x',
  ]) {
    it(`has nothing at ${target}`, async () => assert.equal(await statusOf(ask('GET', target)), 404));
  }
});

describe('symbolic links', () => {
  for (const target of [
    '/home/to-file',
    '/home/absolute.txt',
    '/through-link',
    '/home/up/home/up/home/to-file',
  ]) {
    it(`are followed to a file: ${target}`, async () => {
      const reply = await ask('GET', target);
      assert.equal(await reply.text(), text);
    });
  }

  it('to a directory lead to the directory itself', async () => {
    const reply = await ask('GET', '/home/up/home?sort=size');
    assert.deepEqual([reply.status, reply.headers['location']], [302, '/home/?sort=size']);
    assert.equal((await ask('PROPFIND', '/home/to-root', { depth: '1' })).headers['location'], '/');
  });

  it('out of the archive, in circles or to nothing are named, not followed', async () => {
    for (const [name, target] of [
      ['to-nothing', '../../../etc/passwd'],
      ['to-itself', 'to-itself'],
    ]) {
      const reply = await ask('GET', `/home/${name}`);
      assert.equal(reply.status, 404);
      assert.match(await reply.text(), new RegExp(`^home/${name} is a symbolic link to ${target}, which`));
    }
  });

  it('stay inside of their archive where several are served', async () => {
    const archives = { one: { a: link('/file'), b: link('../two/file'), file: '1' }, two: { file: '2' } };
    const served = new ServedTree({
      vfs: new FakeVfs(archives),
      title: 'repo',
      archive: (name) => ({ name: Buffer.from(name).toString(), idHex: Buffer.from(name).toString('hex') }),
      stripComponents: 0,
    });
    const { ask: get } = serve({ tree: served });
    assert.equal(await (await get('GET', '/one/a')).text(), '1');
    assert.equal(await statusOf(get('GET', '/one/b')), 404);
  });

  it('that are absolute lose the parts that paths have lost', async () => {
    const served = new ServedTree({
      vfs: new FakeVfs({ file: 'x', a: link('/home/anna/file'), b: link('/home') }),
      title: 'repo',
      archive: { name: 'a', idHex: '' },
      stripComponents: 2,
    });
    const { ask: get } = serve({ tree: served });
    assert.equal(await (await get('GET', '/a')).text(), 'x');
    assert.equal(await statusOf(get('GET', '/b')), 404);
  });
});

describe('other methods', () => {
  it('are offered by OPTIONS, class 1', async () => {
    for (const target of ['/', '*', '/nothing']) {
      const { status, headers } = await ask('OPTIONS', target);
      assert.deepEqual(
        [status, headers['dav'], headers['allow']],
        [204, '1', 'OPTIONS, GET, HEAD, PROPFIND'],
      );
    }
  });

  for (const method of [
    'PUT',
    'DELETE',
    'POST',
    'MKCOL',
    'MOVE',
    'COPY',
    'LOCK',
    'UNLOCK',
    'PROPPATCH',
    'TRACE',
  ]) {
    it(`are refused: ${method}`, async () => {
      const { status, headers } = await ask(method, '/home/notes.txt');
      assert.deepEqual([status, headers['allow']], [405, 'OPTIONS, GET, HEAD, PROPFIND']);
    });
  }
});

describe('who may ask', () => {
  const hosts = ['localhost', 'LOCALHOST:1', '127.0.0.1:8080', '127.1.2.3', '[::1]:80', '[::ffff:127.0.0.1]'];
  for (const host of hosts) {
    it(`is a browser that asked for ${host}`, async () =>
      assert.equal(await statusOf(ask('GET', '/home/', { host })), 200));
  }
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.0.1',
    '',
    '[::2]',
    '::1:80',
    'a@localhost',
  ]) {
    it(`is not one that asked for ${JSON.stringify(host)}`, async () => {
      assert.equal(await statusOf(ask('GET', '/home/', { host })), 421);
      assert.equal(await statusOf(serve({ loopbackOnly: false }).ask('GET', '/home/', { host })), 200);
    });
  }

  it('is not one that names another host in the target', async () => {
    assert.equal(await statusOf(ask('GET', 'http://evil.example/home/')), 421);
    assert.equal(await statusOf(ask('GET', 'http://localhost:8080/home/')), 200);
  });

  it('has to know the password, if there is one', async () => {
    const { ask: get } = serve({ password: new Password('geheim: ü') });
    assert.equal(await statusOf(get('GET', '/home/', basic('anyone:geheim: ü'))), 200);
    assert.equal(await statusOf(get('PROPFIND', '/home/', { ...basic(':geheim: ü'), depth: '0' })), 207);
    const none = await get('OPTIONS', '/home/');
    assert.equal(none.status, 401);
    assert.equal(none.headers['www-authenticate'], 'Basic realm="alcove", charset="UTF-8"');
    const wrong = ['anyone:geheim', 'geheim: ü', 'anyone:'].map((pair) => get('GET', '/home/', basic(pair)));
    wrong.push(get('GET', '/', { authorization: 'Bearer geheim: ü' }));
    assert.deepEqual(await Promise.all(wrong.map(statusOf)), [401, 401, 401, 401]);
  });
});

describe('a repository that can not be read', () => {
  it('is said before anything of the answer', async () => {
    for (const [cause, status] of [
      [new Error('connection lost'), 503],
      [new IntegrityError(['x']), 500],
    ] as const) {
      assert.equal(await statusOf(failing(cause)('GET', '/home/notes.txt')), status);
      assert.equal(await statusOf(failing(cause)('GET', '/')), status);
      assert.equal(await statusOf(failing(cause)('PROPFIND', '/', { depth: '1' })), status);
    }
  });
});
