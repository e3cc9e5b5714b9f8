import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkMemory, type ChunkPlace } from '../../src/mount/chunk-memory.ts';
import * as fc from '../properties.ts';

test('ChunkMemory gives no byte to two at a time, and says who has lost a place', () => {
  const step = fc.record({ size: fc.nat(40), isKept: fc.boolean(), released: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new ChunkMemory(100);
      const places = new Map<ChunkPlace, number>();
      for (const [number, { size, isKept, released }] of steps.entries()) {
        const place: ChunkPlace | undefined = memory.take(size, () => {
          assert.equal(place!.users, 0);
          places.delete(place!);
        });
        if (place === undefined) {
          // Only those in use are left.
          assert.ok([...places.keys()].every(({ users }) => users > 0));
          continue;
        }
        assert.equal(place.bytes.length, size);
        place.bytes.fill(number);
        places.set(place, number);
        for (const [each, value] of places) assert.ok(each.bytes.every((byte) => byte === value));
        if (!isKept) place.users--;
        const held = [...places.keys()].filter(({ users }) => users > 0);
        if (held.length > 0) held[released % held.length]!.users--;
      }
    }),
  );
});

test('ChunkMemory takes back first what was taken longest ago, and never what is in use', () => {
  const memory = new ChunkMemory(100);
  const lost: string[] = [];
  const take = (name: string, size = 25) => memory.take(size, () => lost.push(name));
  const [one, two, three, four] = ['one', 'two', 'three', 'four'].map((name) => take(name)!);
  assert.equal(take('none'), undefined);
  for (const place of [one!, three!, four!]) place.users--;
  assert.equal(take('five')?.bytes.byteOffset, 0);
  assert.deepEqual(lost, ['one']);
  assert.equal(take('six', 50)?.bytes.byteOffset, 50);
  assert.deepEqual(lost, ['one', 'three', 'four']);
  assert.equal(take('seven', 101), undefined);
  two!.users--;
  assert.equal(take('eight', 20)?.bytes.byteOffset, 25);
  assert.deepEqual(lost, ['one', 'three', 'four', 'two']);
});
