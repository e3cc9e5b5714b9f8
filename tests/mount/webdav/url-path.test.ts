import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import { decodeUrlPath, encodeUrlPath } from '../../../src/mount/webdav/url-path.ts';
import { fromBinaryString, toBinaryString } from '../../../src/util/bytes.ts';

const namesOf = (text: string) => decodeUrlPath(text)?.names.map(toBinaryString);

describe('decodeUrlPath()', () => {
  it('takes every name that a file can have, byte by byte, as encodeUrlPath() gave it', () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 12 }).filter((bytes) => {
      const text = toBinaryString(bytes);
      return text !== '.' && text !== '..' && !/[\0/]/.test(text);
    });
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), fc.boolean(), (names, endsInSlash) => {
        const text = encodeUrlPath(names, endsInSlash);
        assert.match(text, /^\/[\w.~%/-]*$/);
        const decoded = decodeUrlPath(text)!;
        assert.deepEqual(decoded.names.map(toBinaryString), names.map(toBinaryString));
        assert.equal(decoded.endsInSlash, names.length === 0 || endsInSlash);
      }),
    );
  });

  it('takes bytes that came as they are', () => {
    assert.deepEqual(namesOf('/a b/\xff%FF'), ['a b', '\xff\xff']);
    assert.deepEqual(namesOf('/'), []);
  });

  for (const text of [
    '',
    'a',
    '//',
    '/a//b',
    '/.',
    '/a/..',
    '/%2e%2E/etc',
    '/a%2Fb',
    '/%00',
    '/%',
    '/%g0',
    '/%1',
    '/\u0100',
    '//a/',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(decodeUrlPath(text), undefined));
  }
});

it('encodeUrlPath() encodes what means something in a URL', () => {
  const names = ['a?b#c', 'd%20', 'x:y', "it's"].map(fromBinaryString);
  assert.equal(encodeUrlPath(names, false), '/a%3Fb%23c/d%2520/x%3Ay/it%27s');
});
