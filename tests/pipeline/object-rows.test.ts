import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import { LARGE_BYTES } from '../../src/pipeline/object-group.ts';
import { type ObjectRow, ObjectRows } from '../../src/pipeline/object-rows.ts';
import { noise } from '../noise.ts';
import { material } from './setup.ts';

const data = noise(LARGE_BYTES + 60_000, 3);

function seal(size: number): { readonly id: Uint8Array; readonly sealed: Uint8Array } {
  const plain = data.subarray(0, size);
  const payload = Buffer.concat([Uint8Array.of(0, 0), plain]);
  return { id: idHash(material, plain), sealed: sealEnvelope(material, 0n, payload) };
}

/** A row whose objects have these sizes; where there is `damaged`, that one is. */
function row(sizes: readonly number[], damaged?: number): ObjectRow {
  const objects = sizes.map(seal);
  if (damaged !== undefined) objects[damaged]!.sealed[50]! ^= 1;
  return {
    count: sizes.length,
    sizeOf: (number) => objects[number]!.sealed.length,
    readGroup: (from, to) => objects.slice(from, to),
    largeObject: (number) => ({ id: objects[number]!.id, roomBytes: 0, read: () => objects[number]!.sealed }),
  };
}

test('ObjectRows opens small and large objects of all rows in their order', () => {
  const large = LARGE_BYTES + 1;
  const rows = [[5, large, large + 9, 1, 2], [], [large + 50_000, large], [7], [large, 3, large]];
  const waiting = rows.map((sizes, number) => row(sizes, number === 2 ? 1 : undefined));
  const found = Array.from(
    new ObjectRows(material, 2 ** 20).open(() => waiting.shift()),
    (plaintext) => {
      return plaintext && [plaintext.length, Buffer.compare(plaintext, data.subarray(0, plaintext.length))];
    },
  );
  const expected: unknown[] = rows.flat().map((size) => [size, 0]);
  // The damaged one.
  expected[6] = undefined;
  assert.deepEqual(found, expected);
});
