import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import { LARGE_BYTES } from '../../src/pipeline/object-group.ts';
import type { SealedInput } from '../../src/pipeline/open-batch.ts';
import { ObjectOpener } from '../../src/pipeline/object-opener.ts';
import { noise } from '../noise.ts';
import { material } from './setup.ts';

const STORED = Uint8Array.of(0, 0);

function dataOf(batch: number, object: number): Uint8Array {
  return noise(object === 1 ? 100 : LARGE_BYTES + 1000 * batch + object, batch + 1);
}

function seal(data: Uint8Array): SealedInput {
  const payload = Buffer.concat([STORED, data]);
  return { id: idHash(material, data), sealed: sealEnvelope(material, 0n, payload) };
}

/** Has the objects of each batch written to a file of its own. */
function write(t: TestContext, opener: ObjectOpener, counts: readonly number[]) {
  const folder = mkdtempSync(join(tmpdir(), 'alcove-opener-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return counts.map((objectCount, batch) => {
    const path = join(folder, String(batch));
    const fd = openSync(path, 'w');
    t.after(() => closeSync(fd));
    const datas = Array.from({ length: objectCount }, (_, object) => dataOf(batch, object));
    const target = { fd, offsetBytes: 0 };
    const outcomes = opener.write(datas.map(seal), [
      { path: Buffer.from(path), objectCount, sparse: false, target },
    ]);
    return { path, outcomes, expected: Buffer.concat(datas) };
  });
}

test('ObjectOpener writes what many requests want, each answered when its own is done', async (t) => {
  await using opener = new ObjectOpener(material, 1);
  const written = write(t, opener, [3, 0, 4, 1, 0, 0, 2, 5]);
  // What is not for a file, behind those that are.
  const opened = opener.open([seal(dataOf(9, 1))]);
  for (const { path, outcomes, expected } of written) {
    const [outcome] = await outcomes;
    assert.deepEqual(outcome, { sizeBytes: expected.length, isDamaged: false, warnings: [] });
    assert.equal(Buffer.compare(readFileSync(path), expected), 0);
  }
  const part = await opened;
  assert.deepEqual(Buffer.from(part.plaintexts[0]!), Buffer.from(dataOf(9, 1)));
  part.release();
});

test('ObjectOpener ends in the middle of what it was asked for', async (t) => {
  const several = [3, 4, 4, 4, 4, 4, 4];
  const cases: [number, number[]][] = [0, 1, 2, 3].map((wait) => [wait, several]);
  // What asks it to end comes while the last objects are opened.
  cases.push([1, [1, 60]]);
  for (const [wait, counts] of cases) {
    const opener = new ObjectOpener(material, 1);
    const written = write(t, opener, counts);
    const all = Promise.allSettled(written.map(({ outcomes }) => outcomes));
    for (const { outcomes } of written.slice(0, wait)) await outcomes;
    await opener[Symbol.asyncDispose]();
    const states = (await all).map(({ status }) => status);
    assert.deepEqual(
      states.slice(0, wait),
      Array.from({ length: wait }, () => 'fulfilled'),
    );
  }
});
