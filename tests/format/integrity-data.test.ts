import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { FileIntegrityError } from '../../src/errors.ts';
import { encodeIndexFile, splitIndexFile } from '../../src/format/index-file.ts';
import {
  computeIntegrityData,
  decodeIntegrityData,
  verifyFirstPart,
  verifyIntegrityData,
} from '../../src/format/integrity-data.ts';
import { concatBytes, fromUtf8 } from '../../src/util/bytes.ts';
import { HashIndex } from '../../src/util/hash-index.ts';
import { initXxh64 } from '../../src/util/xxh64.ts';

// Written by Borg 1.4.5 crypto/file_integrity.py IntegrityCheckedFile.
const INDEX_DATA =
  '{"algorithm": "XXH64", "digests": {"HashHeader": "9f1e71c29bc14011", "final": "7b11e2e5b5772cd2"}}';
const HELLO_DATA = '{"algorithm": "XXH64", "digests": {"final": "d6419bd0e55c4536"}}';
const EMPTY_DATA = '{"algorithm": "XXH64", "digests": {"final": "5e2f4a350d438784"}}';
const SHA512_DATA =
  '{"algorithm": "SHA512", "digests": {"final": "ff8fd13a4d8f1215050feb1f2567390e1de2c397eef8355a67d624e781979f7245e251611577ee70ce5a84c51d7cf7f65351e69a1c345855e084af065fca44ec"}}';
const HELLO = [{ bytes: fromUtf8('hello') }, { bytes: fromUtf8(' world') }];

before(initXxh64);

function tenEntries(): HashIndex {
  const index = new HashIndex({ valueWords: 2 });
  for (let i = 0; i < 10; i++) index.set(createHash('sha256').update(String(i)).digest(), i, 3 * i);
  return index;
}

test('computeIntegrityData() writes what the reference writes', () => {
  assert.equal(computeIntegrityData('index.5', encodeIndexFile(tenEntries())), INDEX_DATA);
  assert.equal(computeIntegrityData('/some/where/hints.5', HELLO), HELLO_DATA);
  assert.equal(computeIntegrityData('hints.5', []), EMPTY_DATA);
});

test('verifyIntegrityData() accepts what the reference wrote, XXH64 or SHA512', () => {
  const file = concatBytes(encodeIndexFile(tenEntries()).map((part) => part.bytes));
  assert.ok(verifyIntegrityData(INDEX_DATA, '/repo/index.5', splitIndexFile(file)));
  assert.ok(verifyIntegrityData(INDEX_DATA, '/repo/index.5.tmp', splitIndexFile(file), 'index.5'));
  assert.ok(verifyIntegrityData(HELLO_DATA, '/repo/hints.5', HELLO));
  assert.ok(verifyIntegrityData(SHA512_DATA, '/repo/hints.5', HELLO));
});

test('verifyIntegrityData() says false where it does not know the algorithm', () => {
  assert.equal(verifyIntegrityData('{"algorithm": "MD6", "digests": {}}', 'hints.5', HELLO), false);
});

test('verifyIntegrityData() rejects every difference', () => {
  const file = concatBytes(encodeIndexFile(tenEntries()).map((part) => part.bytes));
  const damagedHeader = Uint8Array.from(file);
  damagedHeader[9]! ^= 1;
  const damagedEnd = Uint8Array.from(file);
  damagedEnd[file.length - 1]! ^= 0x80;
  const withoutHeader = '{"algorithm": "XXH64", "digests": {"final": "7b11e2e5b5772cd2"}}';
  const cases: [string, () => unknown][] = [
    ['another name', () => verifyIntegrityData(HELLO_DATA, 'hints.6', HELLO)],
    ['a shorter file', () => verifyIntegrityData(HELLO_DATA, 'hints.5', HELLO.slice(0, 1))],
    [
      'a longer file',
      () => verifyIntegrityData(HELLO_DATA, 'hints.5', [...HELLO, { bytes: new Uint8Array(1) }]),
    ],
    ['a damaged header', () => verifyIntegrityData(INDEX_DATA, 'index.5', splitIndexFile(damagedHeader))],
    ['a damaged end', () => verifyIntegrityData(INDEX_DATA, 'index.5', splitIndexFile(damagedEnd))],
    ['no digest of the header', () => verifyIntegrityData(withoutHeader, 'index.5', splitIndexFile(file))],
  ];
  for (const [name, run] of cases) assert.throws(run, FileIntegrityError, name);
});

test('decodeIntegrityData() rejects what is no integrity data', () => {
  const cases = [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '{}',
    '{"algorithm": 1, "digests": {"final": "00"}}',
    '{"algorithm": "XXH64"}',
    '{"algorithm": "XXH64", "digests": {}}',
    '{"algorithm": "XXH64", "digests": []}',
    '{"algorithm": "XXH64", "digests": {"final": 1}}',
  ];
  for (const text of cases) {
    assert.throws(() => decodeIntegrityData(text, '/repo/hints.5'), FileIntegrityError, text);
  }
});

test('verifyFirstPart() looks at the first part alone, and refuses a changed one', () => {
  const [header] = encodeIndexFile(tenEntries());
  verifyFirstPart(INDEX_DATA, '/repo/index.5', 'HashHeader', header.bytes);
  const changed = Uint8Array.from(header.bytes);
  changed[9]! ^= 1;
  assert.throws(
    () => verifyFirstPart(INDEX_DATA, '/repo/index.5', 'HashHeader', changed),
    (error) => error instanceof FileIntegrityError && error.args[0] === '/repo/index.5',
  );
  verifyFirstPart('{"algorithm": "none", "digests": {}}', '/repo/index.5', 'HashHeader', changed);
});
