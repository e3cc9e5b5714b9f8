import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { SectionCutOff, sectionSource, storedBytesOf } from '../../src/pipeline/file-section.ts';
import type { ChunkSource } from '../../src/chunker/chunk-source.ts';

function readAll(source: ChunkSource, bufferBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.alloc(bufferBytes, 0xee);
    const count = source.read(buffer);
    if (count === 0) return Buffer.concat(parts);
    parts.push(buffer.subarray(0, count));
  }
}

const from = (stored: Uint8Array) => (into: Uint8Array, offset: number) => {
  const piece = stored.subarray(offset, offset + into.length);
  into.set(piece);
  return piece.length;
};

describe('sectionSource()', () => {
  it('gives so many bytes and no more', () => {
    const stored = Buffer.from('contents and what follows');
    assert.equal(readAll(sectionSource({ sizeBytes: 8 }, from(stored)), 3).toString(), 'contents');
  });

  it('puts zeros between stretches, whatever the size of the buffer', () => {
    const gap = fc.nat({ max: 20 });
    const stretch = fc.tuple(gap, fc.uint8Array({ min: 1, minLength: 1, maxLength: 20 }));
    fc.assert(
      fc.property(
        fc.array(stretch, { maxLength: 6 }),
        gap,
        fc.integer({ min: 1, max: 30 }),
        (list, tail, size) => {
          const whole: number[] = [];
          const stretches: number[] = [];
          for (const [zeros, bytes] of list) {
            whole.push(...Array<number>(zeros).fill(0));
            stretches.push(whole.length, bytes.length);
            whole.push(...bytes);
          }
          whole.push(...Array<number>(tail).fill(0));
          const section = { sizeBytes: whole.length, stretches };
          const stored = Buffer.concat(list.map(([, bytes]) => bytes));
          assert.equal(storedBytesOf(section), stored.length);
          assert.deepEqual([...readAll(sectionSource(section, from(stored)), size)], whole);
        },
      ),
    );
  });

  it('throws SectionCutOff, with what is missing, where there is less', () => {
    const source = sectionSource({ sizeBytes: 100, stretches: [10, 20, 50, 5] }, from(Buffer.alloc(12)));
    assert.throws(
      () => readAll(source, 7),
      (error) => error instanceof SectionCutOff && error.missingBytes === 13,
    );
  });
});
