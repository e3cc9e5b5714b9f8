import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mendFile, type ChunkFate } from '../../../src/archive/check/file-chunks.ts';
import type { ChunkRef, Item } from '../../../src/format/item.ts';
import { fromUtf8, toHex } from '../../../src/util/bytes.ts';

/** Chunks are named by a letter; capital letters stand for zeros. */
function ref(name: string, size = 5): ChunkRef {
  return { id: new Uint8Array(32).fill(name.charCodeAt(0)), size, csize: size + 1 };
}

function refs(names: string): ChunkRef[] {
  return Array.from(names, (name) => ref(name));
}

interface Case {
  readonly title: string;
  readonly chunks: string;
  readonly healthy?: string;
  readonly present: string;
  readonly fates: readonly ChunkFate[];
  readonly chunksAfter: string;
  readonly healthyAfter?: string;
  readonly isChanged: boolean;
}

const cases: readonly Case[] = [
  {
    title: 'keeps what is there',
    chunks: 'ab',
    present: 'ab',
    fates: ['kept', 'kept'],
    chunksAfter: 'ab',
    isChanged: false,
  },
  {
    title: 'puts zeros for what is missing, and remembers it',
    chunks: 'ab',
    present: 'a',
    fates: ['kept', 'replaced'],
    chunksAfter: 'aZ',
    healthyAfter: 'ab',
    isChanged: true,
  },
  {
    title: 'keeps zeros for what is still missing',
    chunks: 'aZ',
    healthy: 'ab',
    present: 'aZ',
    fates: ['kept', 'still missing'],
    chunksAfter: 'aZ',
    healthyAfter: 'ab',
    isChanged: false,
  },
  {
    title: 'makes zeros again that are missing too',
    chunks: 'aY',
    healthy: 'ab',
    present: 'a',
    fates: ['kept', 'replaced again'],
    chunksAfter: 'aZ',
    healthyAfter: 'ab',
    isChanged: true,
  },
  {
    title: 'takes zeros that are made again for the same',
    chunks: 'aZ',
    healthy: 'ab',
    present: 'a',
    fates: ['kept', 'replaced again'],
    chunksAfter: 'aZ',
    healthyAfter: 'ab',
    isChanged: false,
  },
  {
    title: 'heals what is there again',
    chunks: 'aZ',
    healthy: 'ab',
    present: 'abZ',
    fates: ['kept', 'healed'],
    chunksAfter: 'ab',
    isChanged: true,
  },
  {
    title: 'heals a part',
    chunks: 'ZZ',
    healthy: 'ab',
    present: 'bZ',
    fates: ['still missing', 'healed'],
    chunksAfter: 'Zb',
    healthyAfter: 'ab',
    isChanged: true,
  },
  {
    title: 'restores a lost chunk of zeros',
    chunks: 'aZ',
    present: 'a',
    fates: ['kept', 'replaced'],
    chunksAfter: 'aZ',
    isChanged: false,
  },
  {
    title: 'drops a list of right chunks that makes no sense',
    chunks: 'ab',
    healthy: 'a',
    present: 'ab',
    fates: ['kept', 'kept'],
    chunksAfter: 'ab',
    isChanged: true,
  },
];

for (const one of cases) {
  test(`mendFile() ${one.title}`, async () => {
    const item: Item = { path: fromUtf8('f'), chunks: refs(one.chunks) };
    if (one.healthy !== undefined) item.chunksHealthy = refs(one.healthy);
    const present = new Set(refs(one.present).map(({ id }) => toHex(id)));
    const fates: ChunkFate[] = [];
    const verdict = await mendFile(item, {
      has: (id) => present.has(toHex(id)),
      zeros: (sizeBytes) => ref('Z', sizeBytes),
      onChunk: ({ fate }, { id }) => {
        fates.push(fate);
        present.add(toHex(id));
      },
    });
    assert.deepEqual(fates, one.fates);
    assert.deepEqual(item.chunks, refs(one.chunksAfter));
    assert.deepEqual(item.chunksHealthy, one.healthyAfter === undefined ? undefined : refs(one.healthyAfter));
    assert.equal(verdict.isChanged, one.isChanged);
  });
}

test('mendFile() counts offsets by the sizes of what is taken', async () => {
  const offsets: number[] = [];
  const item: Item = { path: fromUtf8('f'), chunks: [ref('a', 3), ref('b', 4), ref('c', 5)] };
  await mendFile(item, {
    has: () => false,
    zeros: (sizeBytes) => ref('Z', sizeBytes),
    onChunk: ({ offset }) => void offsets.push(offset),
  });
  assert.deepEqual(offsets, [0, 3, 7]);
});
