import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Change } from '../../../src/archive/diff/change.ts';
import { diffItems, type ItemDiffOptions, type ItemState } from '../../../src/archive/diff/item-diff.ts';
import type { ChunkRef, Item } from '../../../src/format/item.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

const options: ItemDiffOptions = { sameChunker: true, contentOnly: false, numericIds: false };

function chunk(number: number, size: number): ChunkRef {
  return { id: new Uint8Array(32).fill(number), size, csize: size };
}

function file(...chunks: ChunkRef[]): Item {
  return { path: fromUtf8('file'), mode: 0o100644, user: fromUtf8('anne'), uid: 1, mtimeNs: 1n, chunks };
}

function special(mode: number, source?: string): Item {
  return {
    path: fromUtf8('x'),
    mode,
    mtimeNs: 1n,
    ...(source === undefined ? {} : { source: fromUtf8(source) }),
  };
}

/** Contents by chunk: bytes of its number. Fails where they are not to be read. */
function contents(readable: boolean) {
  const read = async function* (chunks: readonly ChunkRef[]): AsyncGenerator<Uint8Array> {
    assert.ok(readable, 'contents were read');
    for (const { id, size } of chunks) yield new Uint8Array(size).fill(id[0]!);
  };
  return { before: read, after: read };
}

async function changes(
  before: ItemState,
  after: ItemState,
  given: Partial<ItemDiffOptions> = {},
): Promise<readonly Change[] | 'equal'> {
  const all = { ...options, ...given };
  const diff = await diffItems(before, after, contents(!all.sameChunker), all);
  return diff.equal ? 'equal' : diff.changes;
}

describe('diffItems()', () => {
  it('finds items of the same chunks and metadata equal', async () => {
    assert.equal(await changes(file(chunk(1, 5)), file(chunk(1, 5))), 'equal');
    assert.equal(await changes(undefined, undefined), 'equal');
  });

  it('counts the bytes of chunks that only one of both has', async () => {
    assert.deepEqual(
      await changes(file(chunk(1, 5), chunk(2, 7)), file(chunk(2, 7), chunk(3, 1), chunk(3, 1))),
      [{ type: 'modified', addedBytes: 2, removedBytes: 5 }],
    );
  });

  it('tells of no bytes where the same chunks stand in another order', async () => {
    const [before, after] = [file(chunk(1, 5), chunk(2, 7)), file(chunk(2, 7), chunk(1, 5))];
    assert.deepEqual(await changes(before, after), [{ type: 'modified', addedBytes: 0, removedBytes: 0 }]);
  });

  it('reads contents where they were cut in different ways', async () => {
    const whole = file(chunk(1, 10));
    assert.equal(await changes(whole, file(chunk(1, 4), chunk(1, 6)), { sameChunker: false }), 'equal');
    assert.deepEqual(await changes(whole, file(chunk(1, 4), chunk(2, 6)), { sameChunker: false }), [
      { type: 'modified' },
    ]);
  });

  it('does not read contents of different sizes', async () => {
    const unequal = await diffItems(file(chunk(1, 10)), file(chunk(1, 11)), contents(false), {
      ...options,
      sameChunker: false,
    });
    assert.equal(unequal.equal, false);
  });

  it('tells sizes of what is only in one archive', async () => {
    assert.deepEqual(await changes(undefined, file(chunk(1, 5))), [{ type: 'added', sizeBytes: 5 }]);
    assert.deepEqual(await changes(file(chunk(1, 5)), undefined), [{ type: 'removed', sizeBytes: 5 }]);
  });

  for (const [mode, kind] of [
    [0o120777, 'link'],
    [0o040755, 'directory'],
    [0o060600, 'blkdev'],
    [0o020600, 'chrdev'],
    [0o010600, 'fifo'],
  ] as const) {
    it(`names what came or went: ${kind}`, async () => {
      assert.deepEqual(await changes(undefined, special(mode, 'target')), [{ type: `added ${kind}` }]);
      assert.deepEqual(await changes(special(mode, 'target'), undefined), [{ type: `removed ${kind}` }]);
    });
  }

  it('compares targets of links', async () => {
    assert.deepEqual(await changes(special(0o120777, 'a'), special(0o120777, 'b')), [
      { type: 'changed link' },
    ]);
    assert.equal(await changes(special(0o120777, 'a'), special(0o120777, 'a')), 'equal');
  });

  const altered: readonly (readonly [string, Partial<Item>, Change])[] = [
    [
      'owner',
      { user: null },
      { type: 'owner', oldUser: fromUtf8('anne'), oldGroup: null, newUser: null, newGroup: null },
    ],
    ['mode', { mode: 0o100600 }, { type: 'mode', oldMode: 0o100644, newMode: 0o100600 }],
    ['time', { mtimeNs: 9n }, { type: 'mtime', oldNs: 1n, newNs: 9n }],
  ];
  for (const [title, fields, change] of altered) {
    it(`finds another ${title}, unless only contents count`, async () => {
      const after = { ...file(chunk(1, 5)), ...fields };
      const found = await changes(file(chunk(1, 5)), after);
      assert.deepEqual(found, [{ type: 'modified', addedBytes: 0, removedBytes: 0 }, change]);
      assert.equal(await changes(file(chunk(1, 5)), after, { contentOnly: true }), 'equal');
    });
  }

  it('compares owners by number, where asked', async () => {
    const renamed = { ...file(), user: fromUtf8('bert') };
    const moved = { ...file(), uid: 2 };
    assert.equal(await changes(file(), renamed, { numericIds: true }), 'equal');
    assert.equal(await changes(file(), moved), 'equal');
    assert.deepEqual((await changes(file(), moved, { numericIds: true }))[1], {
      type: 'owner',
      oldUser: 1,
      oldGroup: null,
      newUser: 2,
      newGroup: null,
    });
  });

  it('has no other change for a file that became a directory', async () => {
    const found = await changes(file(chunk(1, 5)), special(0o040755));
    assert.deepEqual(
      (found as readonly Change[]).map(({ type }) => type),
      ['owner', 'mode'],
    );
  });
});
