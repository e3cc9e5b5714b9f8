import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ObjectSource } from '../../../src/archive/check/object-source.ts';
import { type Verified, verifyObjects } from '../../../src/archive/check/verify-objects.ts';
import { sealObject } from '../../../src/archive/repo-object.ts';
import { createCompressor } from '../../../src/compress/compressor.ts';
import { PUT_HEADER_SIZE_BYTES } from '../../../src/format/segment.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { toHex } from '../../../src/util/bytes.ts';
import { noise } from '../../noise.ts';
import { Scratch } from '../scratch.ts';

const none = createCompressor({ name: 'none' });

/** All objects as one: what is wrong, by number. */
async function failuresOf(verified: AsyncIterable<Verified>): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  let first = 0;
  for await (const { count, failures } of verified) {
    for (const [number, { id, readError, openError }] of failures) {
      texts.set(first + number, `${toHex(id).slice(0, 8)}: ${(readError ?? openError)!.message}`);
    }
    first += count;
  }
  texts.set(-1, `${first} objects`);
  return texts;
}

/** Without the calls that only a repository on this machine has. */
function asIfFar(repository: Repository): Repository {
  const far = Object.create(repository) as Repository;
  for (const name of ['scan', 'get', 'getMany'] as const) {
    far[name] = repository[name].bind(repository) as never;
  }
  Object.defineProperty(far, 'scanStretches', { value: undefined });
  Object.defineProperty(far, 'getPlaces', { value: undefined });
  return far;
}

for (const encryption of ['repokey', 'none'] as const) {
  test(`verifyObjects() finds what is damaged, and nothing else (${encryption})`, async () => {
    using scratch = new Scratch();
    await scratch.init(encryption);
    await using session = await scratch.open();
    const { repository, key } = session;
    const damaged = new Map<number, string>();
    // More than one thread reads by itself, so that others take part; small and large objects, and void ones between.
    for (let number = 0; number < 300; number++) {
      const contents = noise(number % 5 === 0 ? 120_000 : 1_000, number + 1);
      const { id, sealed } = await sealObject(key, none, contents);
      if (number % 50 === 7) {
        sealed[sealed.length - 1]! ^= 1;
        damaged.set(number, toHex(id).slice(0, 8));
      }
      await repository.put(id, sealed);
      if (number % 50 === 20) await repository.delete(id);
    }
    await repository.commit();
    await using objects = new ObjectSource(repository, key, 2);
    const found = await failuresOf(verifyObjects(repository, objects));
    assert.equal(found.get(-1), `${300 - 6 + 1} objects`);
    found.delete(-1);
    assert.deepEqual(
      [...found.values()].map((text) => text.slice(0, 8)),
      [...damaged.values()],
    );
    for (const text of found.values()) assert.match(text, /MAC Authentication failed|id verification failed/);
    const far = asIfFar(repository);
    await using sameObjects = new ObjectSource(far, key, 2);
    const same = await failuresOf(verifyObjects(far, sameObjects));
    same.delete(-1);
    assert.deepEqual([...same], [...found]);
  });
}

test('verifyObjects() finds a wrong CRC around an object that opens', async () => {
  using scratch = new Scratch();
  await scratch.init('none');
  await using session = await scratch.open();
  const { repository, key } = session;
  const contents = Array.from({ length: 60 }, (_, number) => noise(120_000, number + 1));
  for (const plaintext of contents) {
    const { id, sealed } = await sealObject(key, none, plaintext);
    await repository.put(id, sealed);
  }
  await repository.commit();
  const folder = scratch.join('repository', 'data', '0');
  let changed = 0;
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    // In front of the contents: the type of key and of compression, 3 bytes, and the header, which begins with the CRC.
    const at = bytes.indexOf(contents[55]!) - 3 - PUT_HEADER_SIZE_BYTES;
    if (at < 0) continue;
    bytes[at]! ^= 1;
    writeFileSync(join(folder, name), bytes);
    changed++;
  }
  assert.equal(changed, 1);
  await using objects = new ObjectSource(repository, key, 2);
  const found = await failuresOf(verifyObjects(repository, objects));
  assert.equal(found.size, 2);
  assert.match(found.get(55) ?? found.get(56)!, /Segment entry checksum mismatch/);
});

test('verifyObjects() can be left before its end', async () => {
  using scratch = new Scratch();
  await scratch.init('none');
  await using session = await scratch.open();
  for (let number = 0; number < 100; number++) {
    const { id, sealed } = await sealObject(session.key, none, noise(120_000, number + 1));
    await session.repository.put(id, sealed);
  }
  await session.repository.commit();
  await using objects = new ObjectSource(session.repository, session.key, 2);
  for (let round = 0; round < 2; round++) {
    let count = 0;
    for await (const verified of verifyObjects(session.repository, objects)) {
      assert.equal(verified.failures.size, 0);
      count += verified.count;
      if (count > 70) break;
    }
  }
});
