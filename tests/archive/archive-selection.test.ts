import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ArchiveSelection, selectArchives } from '../../src/archive/archive-selection.ts';

const entry = (id: number, day: number) => ({
  id: new Uint8Array(32).fill(id),
  time: `2024-01-0${day}T00:00:00`,
});

const archives: readonly (readonly [string, { id: Uint8Array; time: string }])[] = [
  ['b-1', entry(1, 3)],
  ['a-1', entry(4, 2)],
  ['a-2', entry(3, 1)],
  ['a-1.checkpoint', entry(2, 4)],
  ['\u{10000}', entry(5, 5)],
  ['\uffff', entry(6, 5)],
];

const cases: readonly (readonly [ArchiveSelection, readonly string[]])[] = [
  [{}, ['b-1', 'a-1', 'a-2', 'a-1.checkpoint', '\u{10000}', '\uffff']],
  [{ glob: 'a-*', considerCheckpoints: false }, ['a-1', 'a-2']],
  [{ prefix: 'a-', glob: 'b*' }, ['a-1', 'a-2', 'a-1.checkpoint']],
  [{ glob: '?-1' }, ['b-1', 'a-1']],
  [{ glob: '[ab]-1', sortBy: ['name'] }, ['a-1', 'b-1']],
  [{ sortBy: ['ts'], first: 2 }, ['a-2', 'a-1']],
  [{ sortBy: ['ts', 'id'], last: 2 }, ['\u{10000}', '\uffff']],
  [{ sortBy: ['ts', 'name'], last: 2 }, ['\uffff', '\u{10000}']],
  [{ sortBy: ['id'], first: 1, last: 1 }, ['b-1']],
  [{ last: 99, reverse: true, glob: '*-1' }, ['a-1', 'b-1']],
  [{ glob: 'a-1', first: 0 }, ['a-1']],
];

for (const [selection, names] of cases) {
  test(`selectArchives() with ${JSON.stringify(selection)}`, () => {
    assert.deepEqual(
      selectArchives(archives, selection).map(({ name }) => name),
      names,
    );
  });
}
