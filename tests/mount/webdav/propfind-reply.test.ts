import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SaxesParser } from 'saxes';
import { serve, statusOf } from './serve.ts';

const { ask } = serve();

const propfind = async (target: string, depth: string | undefined, body = '') => {
  const reply = await ask('PROPFIND', target, depth === undefined ? {} : { depth }, body);
  assert.equal(reply.headers['content-type'], 'application/xml; charset=utf-8');
  const xml = Buffer.from(await reply.text(), 'latin1').toString();
  assert.doesNotThrow(() => new SaxesParser({ xmlns: true }).write(xml).close());
  return {
    status: reply.status,
    xml,
    hrefs: [...xml.matchAll(/<D:href>(.*?)<\/D:href>/g)].map((match) => match[1]),
  };
};

describe('PROPFIND', () => {
  it('tells of a directory and what is in it, without what WebDAV has no form for', async () => {
    const { status, xml, hrefs } = await propfind('/home', '1');
    assert.equal(status, 207);
    assert.deepEqual(hrefs, [
      '/home/',
      '/home/notes.txt',
      '/home/page.html',
      '/home/caf%E9%20%3Cb%3E%26%22%01',
      '/home/run',
      '/home/broken',
      '/home/empty/',
      '/home/to-file',
      '/home/absolute.txt',
    ]);
    const file = xml.split('<D:response>')[2]!;
    const etag = (await ask('HEAD', '/home/notes.txt')).headers['etag']!.replaceAll('"', '&quot;');
    assert.equal(
      file,
      '<D:href>/home/notes.txt</D:href><D:propstat><D:prop><D:resourcetype/><D:displayname>notes.txt</D:displayname>' +
        '<D:getcontentlength>18</D:getcontentlength><D:getcontenttype>text/plain; charset=utf-8</D:getcontenttype>' +
        `<D:getlastmodified>Sun, 13 Sep 2020 12:26:40 GMT</D:getlastmodified><D:getetag>${etag}</D:getetag>` +
        '<D:creationdate>2020-09-13T12:26:40Z</D:creationdate><A:executable>F</A:executable></D:prop>' +
        '<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>\n',
    );
    assert.match(xml, /<D:href>\/home\/run<\/D:href>.*?<A:executable>T<\/A:executable>/);
    assert.match(xml, /<D:resourcetype><D:collection\/><\/D:resourcetype><D:displayname>empty</);
  });

  it('tells of one thing alone', async () => {
    assert.deepEqual((await propfind('/home/', '0')).hrefs, ['/home/']);
    assert.deepEqual((await propfind('/home/notes.txt', '1')).hrefs, ['/home/notes.txt']);
    assert.match((await propfind('/', '0')).xml, /<D:displayname>repo::monday</);
  });

  it('says which of the properties asked for there are not', async () => {
    const names = '<D:getetag/><D:lockdiscovery/><D:resourcetype/><q:own xmlns:q="urn:&lt;q&gt;"/>';
    const { xml } = await propfind(
      '/home/',
      '0',
      `<D:propfind xmlns:D="DAV:"><D:prop>${names}</D:prop></D:propfind>`,
    );
    assert.ok(
      xml.includes(
        '<D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop>' +
          '<D:status>HTTP/1.1 200 OK</D:status></D:propstat>' +
          '<D:propstat><D:prop><D:getetag/><D:lockdiscovery/><own xmlns="urn:&lt;q&gt;"/></D:prop>' +
          '<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>',
      ),
      xml,
    );
  });

  it('gives names without values', async () => {
    const { xml } = await propfind('/home/notes.txt', '0', '<propfind xmlns="DAV:"><propname/></propfind>');
    assert.ok(xml.includes('<D:getcontentlength/>') && !xml.includes('404'));
  });

  it('does not walk through the whole tree', async () => {
    for (const depth of [undefined, 'infinity', '2']) {
      const { status, xml } = await propfind('/', depth);
      assert.equal(status, 403);
      assert.match(xml, /<D:error xmlns:D="DAV:"><D:propfind-finite-depth\/><\/D:error>/);
    }
  });

  it('refuses what it can not read', async () => {
    assert.equal(await statusOf(ask('PROPFIND', '/', { depth: '0' }, '<x')), 400);
    assert.equal(await statusOf(ask('PROPFIND', '/', { depth: '0' }, ' '.repeat(70_000))), 413);
    assert.equal(await statusOf(ask('PROPFIND', '/home/pipe', { depth: '0' })), 403);
    assert.equal(await statusOf(ask('PROPFIND', '/nothing', { depth: '0' })), 404);
  });
});
