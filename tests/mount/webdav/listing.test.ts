import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeVfs } from './fake-vfs.ts';
import { serve, statusOf } from './serve.ts';

const { ask } = serve();

describe('a directory for browsers', () => {
  it('is a page in which all names are text', async () => {
    const reply = await ask('GET', '/home/');
    const page = Buffer.from(await reply.text(), 'latin1').toString();
    assert.match(
      reply.headers['content-security-policy']!,
      /^default-src 'none';.*style-src 'sha256-[\w+/]{43}='$/,
    );
    assert.ok(!page.includes('<script') && !page.includes('<b>'));
    assert.ok(
      page.includes('<a href="caf%E9%20%3Cb%3E%26%22%01"><bdi>caf? &lt;b&gt;&amp;&quot;\ufffd</bdi></a>'),
    );
    assert.ok(page.includes('<a href="empty/"><bdi>empty</bdi>/</a>'));
    assert.ok(
      page.includes('<a href="to-file"><bdi>to-file</bdi></a> <small><bdi>→ notes.txt</bdi></small>'),
    );
    assert.ok(page.includes('<a href="/"><bdi>to-root</bdi>/</a>'));
    assert.ok(page.includes('<span class="lost"><bdi>to-nothing</bdi></span>'));
    assert.ok(
      page.includes('<span class="lost"><bdi>pipe</bdi></span> <small><bdi>prw-r--r--</bdi></small>'),
    );
    assert.ok(page.includes('<td>18 B</td>'));
    assert.ok(page.includes('<footer>13 entries</footer>'));
    assert.ok(!page.includes('download=tar'));
  });

  it('is sorted as asked, directories first', async () => {
    const { ask: get } = serve({}, new FakeVfs({ b: 'xx', c: 'x', a: 'xxx', d: {} }));
    const orderOf = async (query: string) =>
      [...(await (await get('GET', `/${query}`)).text()).matchAll(/<td><a href="(\w)/g)]
        .map((m) => m[1])
        .join('');
    assert.equal(await orderOf(''), 'dabc');
    assert.equal(await orderOf('?sort=-name'), 'dcba');
    assert.equal(await orderOf('?sort=size'), 'dcba');
    assert.equal(await orderOf('?sort=-size'), 'dabc');
    assert.equal(await orderOf('?sort=time'), 'abcd');
    assert.equal(await orderOf('?sort=nonsense'), 'dabc');
  });

  it('shows marks that turn the direction of writing, and does not obey them', async () => {
    const { ask: get } = serve({}, new FakeVfs({ '\xe2\x80\xaegpj.exe': 'x' }));
    const page = Buffer.from(await (await get('GET', '/')).text(), 'latin1').toString();
    assert.ok(page.includes('<a href="%E2%80%AEgpj.exe"><bdi>\ufffdgpj.exe</bdi></a>'));
  });

  it('with very many entries has all of them, as they come', async () => {
    const many = Object.fromEntries(Array.from({ length: 10_500 }, (_, n) => [`f${20_000 - n}`, '']));
    const page = await (await serve({}, new FakeVfs(many)).ask('GET', '/?sort=name')).text();
    assert.equal(page.match(/<tr class="file">/g)!.length, 10_500);
    assert.ok(page.indexOf('f20000') < page.indexOf('f19999'));
    assert.ok(!page.includes('?sort='));
  });

  it('has its URL end in a slash', async () => {
    const reply = await ask('GET', '/home?sort=-size');
    assert.deepEqual([reply.status, reply.headers['location']], [301, '/home/?sort=-size']);
  });

  it('of a repository is no tar', async () =>
    assert.equal(await statusOf(ask('GET', '/?download=tar')), 404));
});
