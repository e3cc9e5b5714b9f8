import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PathKeys } from '../../../src/archive/create/path-keys.ts';
import { idHash } from '../../../src/crypto/id-hash.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import { material } from '../../pipeline/setup.ts';

function hashOf(path: string): Uint8Array {
  return idHash(material, fromUtf8(path));
}

describe('PathKeys', () => {
  const keys = new PathKeys(material, fromUtf8('/home/user'));

  it('of() is the id hash of the absolute path', () => {
    assert.deepEqual(keys.of(fromUtf8('a/b')), hashOf('/home/user/a/b'));
    assert.deepEqual(keys.of(fromUtf8('/a/b')), hashOf('/a/b'));
  });

  it('ofAll() gives for each what of() gives', () => {
    const paths = ['a', '/b', 'long/'.repeat(50), ''].map(fromUtf8);
    assert.deepEqual(
      keys.ofAll(paths),
      paths.map((path) => keys.of(path)),
    );
    assert.deepEqual(keys.ofAll([]), []);
  });
});
