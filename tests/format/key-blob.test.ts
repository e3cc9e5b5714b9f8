import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { GeneralError } from '../../src/errors.ts';
import {
  decodeEncryptedKey,
  decodeKeyfile,
  decodeKeyRecord,
  decodeKeyText,
  encodeEncryptedKey,
  encodeKeyfile,
  encodeKeyRecord,
  encodeKeyText,
  KeyBlobError,
  type EncryptedKey,
  type KeyRecord,
} from '../../src/format/key-blob.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { fromHex } from '../../src/util/bytes.ts';
import { vectors } from '../keys/vectors.ts';

const stored = vectors.flatMap(({ encryption, key }) => (key === null ? [] : [{ encryption, key }]));

describe('decodeEncryptedKey()', () => {
  for (const { encryption, key } of stored) {
    it(`reads what the reference wrote for ${encryption}, and encodeEncryptedKey() writes the same bytes`, () => {
      const text = key.startsWith('BORG_KEY ') ? decodeKeyfile(key).keyText : key;
      const bytes = decodeKeyText(text);
      const blob = decodeEncryptedKey(bytes);
      assert.equal(blob.iterations, 100000);
      assert.deepEqual(encodeEncryptedKey(blob), bytes);
      assert.equal(encodeKeyText(bytes), text.trimEnd());
    });
  }

  const good = {
    algorithm: 'sha256',
    data: fromHex('00'),
    hash: fromHex('00'),
    iterations: 1,
    salt: fromHex('00'),
    version: 1,
  };
  const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
  const damaged: [string, Uint8Array][] = [
    ['no map', encode([1])],
    ['cut short', encode(good).subarray(0, -1)],
    ['no bytes at all', new Uint8Array(0)],
    ...Object.keys(good).map((name): [string, Uint8Array] => [`no ${name}`, encode(without(name))]),
    ['text iterations', encode({ ...good, iterations: '1' })],
    ['no iterations at all', encode({ ...good, iterations: 0 })],
    ['negative iterations', encode({ ...good, iterations: -1 })],
    ['too many iterations', encode({ ...good, iterations: 10_000_001 })],
    ['far too many iterations', encode({ ...good, iterations: 2 ** 31 })],
    ['number as salt', encode({ ...good, salt: 1 })],
    ['null as data', encode({ ...good, data: null })],
  ];
  for (const [name, bytes] of damaged) {
    it(`rejects ${name}`, () => {
      assert.throws(() => decodeEncryptedKey(bytes), KeyBlobError);
    });
  }

  it('names a version or an algorithm that is not known', () => {
    assert.throws(() => decodeEncryptedKey(encode({ ...good, version: 2 })), {
      constructor: GeneralError,
      message: 'Error: encrypted key version 2 is not supported by this borg version.',
    });
    assert.throws(() => decodeEncryptedKey(encode({ ...good, algorithm: 'argon2' })), {
      constructor: GeneralError,
      message: "Error: encrypted key algorithm 'argon2' is not supported by this borg version.",
    });
  });

  it('ignores what follows the map, as Borg does', () => {
    assert.equal(decodeEncryptedKey(new Uint8Array([...encode(good), 0, 0])).iterations, 1);
  });
});

describe('encodeEncryptedKey()', () => {
  it('round-trips', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const blobs: fc.Arbitrary<EncryptedKey> = fc.record(
      {
        iterations: fc.integer({ min: 1, max: 10_000_000 }),
        salt: bytes,
        hash: bytes,
        data: bytes,
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(blobs, (blob) => assert.deepEqual(decodeEncryptedKey(encodeEncryptedKey(blob)), blob)),
    );
  });
});

describe('decodeKeyRecord()', () => {
  const bytes = fc.uint8Array({ maxLength: 130 });
  const records: fc.Arbitrary<KeyRecord> = fc.record(
    {
      repositoryId: bytes,
      encKey: bytes,
      encHmacKey: bytes,
      idKey: bytes,
      chunkSeed: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      tamRequired: fc.option(fc.boolean(), { nil: undefined }),
    },
    { noNullPrototype: true },
  );

  it('reads what encodeKeyRecord() writes', () => {
    fc.assert(
      fc.property(records, (record) => assert.deepEqual(decodeKeyRecord(encodeKeyRecord(record)), record)),
    );
  });

  const some = fromHex('01');
  const good = {
    chunk_seed: 5,
    enc_hmac_key: some,
    enc_key: some,
    id_key: some,
    repository_id: some,
    version: 1,
  };
  const damaged: [string, Uint8Array][] = [
    ['bytes after the map', new Uint8Array([...encode(good), 0])],
    ['no map', encode(null)],
    ['a seed beyond 32 bits', encode({ ...good, chunk_seed: 2 ** 31 })],
    ['a seed that is no integer', encode({ ...good, chunk_seed: 0.5 })],
    ['a key that is no raw', encode({ ...good, enc_key: 1 })],
    ['no id_key', encode({ ...good, id_key: null })],
    ['a number as tam_required', encode({ ...good, tam_required: 1 })],
  ];
  for (const [name, bytes] of damaged) {
    it(`rejects ${name}`, () => {
      assert.throws(() => decodeKeyRecord(bytes), KeyBlobError);
    });
  }

  it('names a version that is not known', () => {
    assert.throws(() => decodeKeyRecord(encode({ ...good, version: 2 })), GeneralError);
  });
});

describe('decodeKeyText()', () => {
  it('reads what encodeKeyText() writes, in lines of 70', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 400 }), (bytes) => {
        const lines = encodeKeyText(bytes).split('\n');
        assert.ok(
          lines.every((line, i) => line.length === 70 || (i === lines.length - 1 && line.length > 0)),
        );
        assert.deepEqual(decodeKeyText(lines.join('\n')), bytes);
        assert.deepEqual(decodeKeyText(`${lines.join('\r\n')} \n`), bytes);
      }),
    );
  });

  it('rejects what is cut off, too short or not ASCII', () => {
    const text = encodeKeyText(new Uint8Array(40));
    for (const bad of ['', text.slice(0, -3), text.slice(0, 24), `${text}ä`, 'AAAA']) {
      assert.throws(() => decodeKeyText(bad), KeyBlobError);
    }
  });
});

describe('encodeKeyfile()', () => {
  it('puts the header before the text and one newline after it', () => {
    const expected = 'BORG_KEY 00ff\nabc\n';
    assert.equal(encodeKeyfile('00ff', 'abc'), expected);
    assert.equal(encodeKeyfile('00ff', 'abc\n'), expected);
    assert.deepEqual(decodeKeyfile(expected), { header: 'BORG_KEY 00ff', keyText: 'abc\n' });
    assert.deepEqual(decodeKeyfile('BORG_KEY'), { header: 'BORG_KEY', keyText: '' });
  });
});
