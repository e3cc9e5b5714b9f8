import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { decodeIndexFile, encodeIndexFile, splitIndexFile } from '../../src/format/index-file.ts';
import { decodeIni, encodeIni } from '../../src/format/ini.ts';
import { computeIntegrityData, verifyIntegrityData } from '../../src/format/integrity-data.ts';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { concatBytes, toHex } from '../../src/util/bytes.ts';
import { initXxh64 } from '../../src/util/xxh64.ts';
import { GOLDEN_ROOT, GoldenRepository } from '../golden-repository.ts';

const read = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(GOLDEN_ROOT, 'repokey-home/cache', name)));
const configText = Buffer.from(read('config')).toString('utf8');

before(initXxh64);

test('the golden cache config survives decoding and encoding', () => {
  const ini = decodeIni(configText);
  assert.deepEqual([...ini.keys()], ['cache', 'integrity']);
  assert.equal(encodeIni(ini), configText);
});

test('the golden chunks cache is verified, holds every object but the manifest, and encodes to the same bytes', async () => {
  const integrity = decodeIni(configText).get('integrity')!.get('chunks')!;
  const file = read('chunks');
  assert.ok(verifyIntegrityData(integrity, '/cache/chunks', splitIndexFile(file)));
  assert.equal(computeIntegrityData('chunks', splitIndexFile(file)), integrity);
  const index = decodeIndexFile(file, { valueWords: 3 });
  assert.deepEqual(concatBytes(encodeIndexFile(index).map((part) => part.bytes)), file);
  const golden = await GoldenRepository.open('repokey');
  for (const [key, bucket] of index.entries()) {
    const [refcount, size, csize] = [0, 1, 2].map((word) => index.valueAt(bucket, word)) as [
      number,
      number,
      number,
    ];
    assert.ok(refcount >= 1);
    assert.equal(size, golden.facts.objects[toHex(key)]!.size);
    assert.equal(csize, golden.get(toHex(key)).length);
  }
  assert.equal(index.size, golden.places.size - 1);
});

test('the golden files cache is verified and holds files with their chunks', async () => {
  const integrity = decodeIni(configText).get('integrity')!.get('files')!;
  const file = read('files');
  assert.ok(verifyIntegrityData(integrity, '/cache/files', [{ bytes: file }]));
  const golden = await GoldenRepository.open('repokey');
  const unpacker = new Unpacker();
  unpacker.feed(file);
  const entries = [...unpacker] as [Uint8Array, [number, MsgpackValue, number, MsgpackValue, Uint8Array[]]][];
  assert.ok(entries.length > 0 && unpacker.idle);
  for (const [pathHash, [age, , size, , ids]] of entries) {
    assert.equal(pathHash.length, 32);
    assert.ok(age >= 0);
    const sizes = ids.map((id) => golden.facts.objects[toHex(id)]!.size);
    assert.equal(
      sizes.reduce((sum, part) => sum + part, 0),
      size,
    );
  }
});
