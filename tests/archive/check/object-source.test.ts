import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectSource } from '../../../src/archive/check/object-source.ts';
import { sealObject } from '../../../src/archive/repo-object.ts';
import { createCompressor } from '../../../src/compress/compressor.ts';
import { MANIFEST_ID } from '../../../src/repository/repository.ts';
import { equalBytes, toHex } from '../../../src/util/bytes.ts';
import { noise } from '../../noise.ts';
import { Scratch } from '../scratch.ts';

const none = createCompressor({ name: 'none' });
/** Then other threads take part. */
const PARALLEL_FROM_BYTES = 2 ** 20;

test('ObjectSource gives every object in order, and what is wrong with those that are damaged', async () => {
  using scratch = new Scratch();
  await scratch.init();
  await using session = await scratch.open();
  const { repository, key } = session;
  const ids: Uint8Array[] = [];
  for (let number = 0; number < 240; number++) {
    const { id, sealed } = await sealObject(key, none, noise(50_000, number + 1));
    ids.push(id);
    const damage = number % 40;
    if (damage === 3) continue;
    if (damage === 7) sealed[sealed.length - 1]! ^= 1;
    await repository.put(id, sealed);
  }
  ids.splice(100, 0, MANIFEST_ID);
  await repository.commit();
  await using objects = new ObjectSource(repository, key, 2, PARALLEL_FROM_BYTES);
  const pages = [ids.slice(0, 90), ids.slice(90, 91), ids.slice(91)];
  let at = 0;
  for await (const read of objects.readAll(pages)) {
    assert.equal(toHex(read.id), toHex(ids[at]!));
    const number = at < 100 ? at : at - 1;
    if (at === 100) assert.ok(read.plaintext !== undefined, 'the manifest, whose id is no hash');
    else if (number % 40 === 3) assert.match(read.readError!.message, /not found/);
    else if (number % 40 === 7) assert.match(read.openError!.message, /MAC Authentication failed/);
    else {
      assert.ok(equalBytes(read.plaintext!, noise(50_000, number + 1)));
      assert.ok(read.nonceEnd! > 0n);
    }
    at += 1;
  }
  assert.equal(at, ids.length);
});

test('ObjectSource can be left before its end', async () => {
  using scratch = new Scratch();
  await scratch.init('none');
  await using session = await scratch.open();
  const ids: Uint8Array[] = [];
  for (let number = 0; number < 120; number++) {
    const { id, sealed } = await sealObject(session.key, none, noise(90_000, number + 1));
    ids.push(id);
    await session.repository.put(id, sealed);
  }
  await using objects = new ObjectSource(session.repository, session.key, 2, PARALLEL_FROM_BYTES);
  for (let round = 0; round < 3; round++) {
    let count = 0;
    for await (const read of objects.readAll([ids])) {
      assert.ok(read.plaintext !== undefined);
      if (++count === 70) break;
    }
  }
});
