import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChunker } from '../../src/chunker/chunker.ts';
import { type Chunk, type ChunkSource, bytesSource } from '../../src/chunker/chunk-source.ts';
import { shortReads } from './samples.ts';
import { noise } from '../noise.ts';

/** d: data, a: zeros that were read, h: hole. */
function shape(chunks: Iterable<Chunk>): string {
  return [...chunks].map((chunk) => `${chunk.kind[0]}${chunk.sizeBytes}`).join(' ');
}

/** A file with holes, in which reading a hole is an error; positions count as in lseek(2). */
function sparseFile(
  sizeBytes: number,
  holes: readonly [start: number, end: number][],
  position = 0,
): ChunkSource {
  const data = noise(sizeBytes);
  const inHole = (offset: number) => holes.find(([start, end]) => offset >= start && offset < end);
  return {
    read(into) {
      const count = Math.min(into.length, sizeBytes - position);
      for (let at = 0; at < count; at++) {
        assert.equal(inHole(position + at), undefined, `read the hole at ${position + at}`);
      }
      into.set(data.subarray(position, position + count));
      position += count;
      return count;
    },
    seek(offset, whence) {
      if (whence === 'current') position += offset;
      else if (whence === 'end') position = sizeBytes + offset;
      else if (whence === 'set') position = offset;
      else {
        if (offset >= sizeBytes) return undefined;
        const wantHole = whence === 'hole';
        let found = offset;
        while (found < sizeBytes && (inHole(found) !== undefined) !== wantHole) found++;
        if (found === sizeBytes && !wantHole) return undefined;
        position = found;
      }
      return position;
    },
  };
}

test('chunks() cuts blocks, the last one as long as it comes out', () => {
  const chunker = createChunker(['fixed', 64, 0], 0);
  assert.equal(shape(chunker.chunks(bytesSource(new Uint8Array(0)))), '');
  assert.equal(shape(chunker.chunks(bytesSource(noise(64)))), 'd64');
  assert.equal(shape(chunker.chunks(bytesSource(noise(150)))), 'd64 d64 d22');
  assert.equal(shape(chunker.chunks(bytesSource(noise(150).fill(0, 64)))), 'd64 a64 a22');
});

test('chunks() cuts the header by itself, in blocks where it is longer than one', () => {
  assert.equal(shape(createChunker(['fixed', 64, 10], 0).chunks(bytesSource(noise(150)))), 'd10 d64 d64 d12');
  assert.equal(shape(createChunker(['fixed', 64, 100], 0).chunks(bytesSource(noise(150)))), 'd64 d36 d50');
  assert.equal(shape(createChunker(['fixed', 64, 100], 0).chunks(bytesSource(noise(80)))), 'd64 d16');
  assert.equal(shape(createChunker(['fixed', 64, 100], 0).chunks(bytesSource(noise(100)))), 'd64 d36');
});

test('chunks() gives the data itself', () => {
  const data = noise(3_000_000);
  const read: Uint8Array[] = [];
  for (const chunk of createChunker(['fixed', 70_001, 13], 0).chunks(bytesSource(data))) {
    read.push(chunk.data.slice());
  }
  assert.ok(Buffer.concat(read).equals(data));
});

test('chunks() reads a pipe to its end although each read is short', () => {
  assert.equal(
    shape(createChunker(['fixed', 100, 0], 0).chunks(shortReads(noise(250), [7, 30]))),
    'd100 d100 d50',
  );
});

test('chunks() with sparse takes holes from the map and does not read them', () => {
  const chunker = createChunker(['fixed', 100, 0], 0);
  const table: [ChunkSource, string][] = [
    [sparseFile(250, []), 'd100 d100 d50'],
    [sparseFile(0, []), ''],
    [sparseFile(450, [[100, 350]]), 'd100 h100 h100 h50 d100'],
    [sparseFile(300, [[0, 120]]), 'h100 h20 d100 d80'],
    [sparseFile(300, [[120, 300]]), 'd100 d20 h100 h80'],
    [sparseFile(250, [[0, 250]]), 'h100 h100 h50'],
    [sparseFile(300, [[150, 250]], 120), 'd30 h100 d50'],
  ];
  for (const [source, expected] of table)
    assert.equal(shape(chunker.chunks(source, { sparse: true })), expected);
});

test('chunks() with sparse and a header maps only what follows the header', () => {
  const chunker = createChunker(['fixed', 100, 50], 0);
  assert.equal(shape(chunker.chunks(sparseFile(350, [[150, 350]]), { sparse: true })), 'd50 d100 h100 h100');
  assert.equal(shape(chunker.chunks(sparseFile(30, []), { sparse: true })), 'd30');
});

test('chunks() with sparse reads everything where the source cannot seek', () => {
  const chunker = createChunker(['fixed', 100, 20], 0);
  const pipe: ChunkSource = {
    ...bytesSource(noise(250)),
    seek() {
      throw new Error('ESPIPE');
    },
  };
  assert.equal(shape(chunker.chunks(pipe, { sparse: true })), 'd20 d100 d100 d30');
  assert.equal(shape(chunker.chunks(bytesSource(noise(120)), { sparse: true })), 'd20 d100');
  const noHoles = sparseFile(250, []);
  const seek = noHoles.seek?.bind(noHoles);
  noHoles.seek = (offset, whence) => {
    if (whence === 'hole') throw new Error('EINVAL');
    return seek?.(offset, whence);
  };
  assert.equal(shape(chunker.chunks(noHoles, { sparse: true })), 'd20 d100 d100 d30');
});
