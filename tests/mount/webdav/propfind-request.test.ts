import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePropfind, PropfindError } from '../../../src/mount/webdav/propfind-request.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

const body = (inside: string) => fromUtf8(`<?xml version="1.0"?><propfind xmlns="DAV:">${inside}</propfind>`);
const dav = (name: string) => ({ namespace: 'DAV:', name });

describe('parsePropfind()', () => {
  it('takes an empty body as a question for all', () => {
    assert.deepEqual(parsePropfind(new Uint8Array(0)), { kind: 'all' });
  });

  it('reads the three questions', () => {
    assert.deepEqual(parsePropfind(body('<allprop/>')), { kind: 'all' });
    assert.deepEqual(parsePropfind(body('<propname/>')), { kind: 'names' });
    assert.deepEqual(parsePropfind(body('<prop><getetag/><x:y xmlns:x="urn:z">t</x:y></prop>')), {
      kind: 'some',
      names: [dav('getetag'), { namespace: 'urn:z', name: 'y' }],
    });
    const include = body('<allprop/><include><quota-used-bytes/></include>');
    assert.deepEqual(parsePropfind(include), { kind: 'all' });
  });

  it('passes over what it does not know, and over what is inside of properties', () => {
    const strange = body('<z:else xmlns:z="urn:z"><prop/></z:else><prop><a><prop><b/></prop></a></prop>');
    assert.deepEqual(parsePropfind(strange), { kind: 'some', names: [dav('a')] });
  });

  it('reads UTF-16 behind its mark', () => {
    const text = '\ufeff<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>';
    assert.deepEqual(parsePropfind(Buffer.from(text, 'utf16le')), { kind: 'names' });
    assert.deepEqual(parsePropfind(Buffer.from(text, 'utf16le').swap16()), { kind: 'names' });
  });

  const bombs = '<!DOCTYPE propfind [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>';
  const rows: [string, Uint8Array][] = [
    ['a document type', fromUtf8(`${bombs}<propfind xmlns="DAV:"><prop>&b;</prop></propfind>`)],
    ['an external entity', fromUtf8('<!DOCTYPE x SYSTEM "file:///etc/passwd"><propfind xmlns="DAV:"/>')],
    ['an unknown entity', body('<prop>&b;</prop>')],
    ['something else than a propfind', fromUtf8('<lockinfo xmlns="DAV:"/>')],
    ['no question', body('')],
    ['two questions', body('<prop/><allprop/>')],
    ['what is not closed', fromUtf8('<propfind xmlns="DAV:"><prop>')],
    ['a prefix that is not bound', body('<prop><q:w/></prop>')],
    ['text that is no XML', fromUtf8('hello')],
    ['bytes that are not UTF-8', Uint8Array.from([...body('<prop/>'), 0xff])],
    ['thousands of properties', body(`<prop>${'<a/>'.repeat(3000)}</prop>`)],
    ['thousands of levels', body(`${'<a>'.repeat(3000)}${'</a>'.repeat(3000)}`)],
  ];
  for (const [what, bytes] of rows) {
    it(`refuses ${what}`, () => assert.throws(() => parsePropfind(bytes), PropfindError));
  }
});
