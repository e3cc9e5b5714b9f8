import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MovedLinks } from '../../../src/archive/recreate/moved-links.ts';
import type { ChunkRef, Item } from '../../../src/format/item.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

const chunks: ChunkRef[] = [{ id: new Uint8Array(32), size: 1, csize: 2 }];
const healthy: ChunkRef[] = [{ id: new Uint8Array(32).fill(1), size: 1, csize: 2 }];

function item(path: string, fields: Partial<Item> = {}): Item {
  return { path: fromUtf8(path), mode: 0o100644, ...fields };
}

function link(path: string, source: string, mode = 0o100644): Item {
  return item(path, { source: fromUtf8(source), mode });
}

describe('MovedLinks', () => {
  it('lets the first link that is taken over have the chunks, and the others name it', () => {
    const links = new MovedLinks();
    links.leftOut(item('m', { chunks, chunksHealthy: healthy, hardlinkMaster: true }));
    const [second, third] = [link('b', 'm'), link('c', 'm')];
    links.takenOver(second);
    links.takenOver(third);
    assert.deepEqual(second, item('b', { chunks, chunksHealthy: healthy }));
    assert.deepEqual(third, link('c', 'b'));
  });

  it('lets the first link of a device be the device', () => {
    const links = new MovedLinks();
    links.leftOut(item('m', { mode: 0o020600, rdev: 5 }));
    const second = link('b', 'm', 0o020600);
    links.takenOver(second);
    assert.deepEqual(second, item('b', { mode: 0o020600 }));
  });

  const untouched: readonly (readonly [string, Item, Item])[] = [
    ['links whose first name is there', item('other', { chunks }), link('b', 'm')],
    ['symbolic links', item('m', { chunks }), link('b', 'm', 0o120777)],
    ['links to what is no first name', link('m', 'first'), link('b', 'm')],
    ['links to what is said to be none', item('m', { chunks, hardlinkMaster: false }), link('b', 'm')],
    ['files of their own', item('m', { chunks }), item('b', { chunks })],
  ];
  for (const [title, leftOut, takenOver] of untouched) {
    it(`leaves ${title} as they are`, () => {
      const links = new MovedLinks();
      links.leftOut(leftOut);
      const found = structuredClone(takenOver);
      links.takenOver(found);
      assert.deepEqual(found, takenOver);
    });
  }
});
