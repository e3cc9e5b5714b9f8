import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FifoMemory, type MemoryPiece } from '../../src/pipeline/fifo-memory.ts';
import * as fc from '../properties.ts';

const SIZE = 1000;

test('FifoMemory gives each piece memory of its own, in whatever order they are given back', () => {
  const step = fc.record({ sizeBytes: fc.nat(400), releases: fc.nat(5), which: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new FifoMemory(SIZE);
      const held: { piece: MemoryPiece; mark: number }[] = [];
      for (const [number, { sizeBytes, releases, which }] of steps.entries()) {
        const room = memory.room(sizeBytes);
        if (room.length >= sizeBytes) {
          const piece = memory.takeOf(room, sizeBytes);
          assert.equal(piece.bytes.length, sizeBytes);
          const mark = number % 256;
          piece.bytes.fill(mark);
          held.push({ piece, mark });
        } else assert.ok(held.length > 0, 'there is room where nothing is held');
        for (const { piece, mark } of held) assert.ok(piece.bytes.every((byte) => byte === mark));
        for (let count = 0; count < releases && held.length > 0; count++) {
          const [gone] = held.splice(which % held.length, 1);
          memory.release(gone!.piece);
        }
      }
    }),
  );
});

test('FifoMemory goes round its end, and begins anew where nothing is held', () => {
  const memory = new FifoMemory(SIZE);
  const take = (sizeBytes: number) => memory.takeOf(memory.room(sizeBytes), sizeBytes);
  const [a, b] = [take(400), take(400)];
  assert.equal(memory.room(300).length, 200);
  memory.release(a);
  const c = take(300);
  assert.equal(c.startBytes, 0);
  assert.equal(memory.room(1).length, 100);
  memory.release(c);
  memory.release(b);
  assert.equal(memory.room(1).length, SIZE);
  assert.equal(take(SIZE).startBytes, 0);
});

test('FifoMemory gives the larger room where neither is enough', () => {
  const memory = new FifoMemory(SIZE);
  const take = (sizeBytes: number) => memory.takeOf(memory.room(sizeBytes), sizeBytes);
  const first = take(300);
  take(500);
  memory.release(first);
  assert.equal(memory.room(Infinity).length, 300);
  assert.equal(memory.room(200).length, 200);
});
