import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Change } from '../../../src/archive/diff/change.ts';
import type { PathDiff } from '../../../src/archive/diff/compare-archives.ts';
import { type DiffSortField, sortDiffs } from '../../../src/archive/diff/sort-diffs.ts';
import type { Item } from '../../../src/format/item.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';

function diff(
  path: string,
  before: Partial<Item> | undefined,
  after: Partial<Item> | undefined,
  ...changes: Change[]
) {
  const item = (fields: Partial<Item> | undefined) => fields && { path: fromUtf8(path), ...fields };
  return { path: fromUtf8(path), before: item(before), after: item(after), equal: false, changes };
}

const diffs: readonly PathDiff[] = [
  diff(
    'b',
    { mtimeNs: 5n },
    { mtimeNs: 9n, size: 3, uid: 2, user: fromUtf8('x') },
    {
      type: 'modified',
      addedBytes: 4,
      removedBytes: 1,
    },
  ),
  diff('a', { mtimeNs: 7n }, undefined, { type: 'removed', sizeBytes: 9 }),
  diff('\u{10000}', undefined, { mtimeNs: 1n, size: 8, uid: 1, user: null }, { type: 'added', sizeBytes: 8 }),
  diff('\uffff', { mtimeNs: 1n }, { mtimeNs: 1n, size: 3, uid: 1 }, { type: 'added directory' }),
];

function sorted(...fields: (DiffSortField | `>${DiffSortField}`)[]): string {
  const keys = fields.map((text) => ({
    field: text.replace('>', '') as DiffSortField,
    descending: text.startsWith('>'),
  }));
  const names: Record<string, string> = { '\u{10000}': 'd', '\uffff': 'c' };
  return sortDiffs(diffs, keys)
    .map(({ path }) => names[toUtf8Lossy(path)] ?? toUtf8Lossy(path))
    .join('');
}

describe('sortDiffs()', () => {
  const cases: readonly (readonly [string, string])[] = [
    // By code points, in which U+10000 comes after U+FFFF.
    [sorted('path'), 'abcd'],
    [sorted('>path'), 'dcba'],
    [sorted('size_added'), 'acbd'],
    [sorted('size_removed'), 'dcba'],
    [sorted('size_diff'), 'acbd'],
    [sorted('size'), 'abcd'],
    [sorted('>size'), 'dbca'],
    [sorted('uid'), 'adcb'],
    [sorted('gid'), 'badc'],
    [sorted('>user'), 'badc'],
    [sorted('mtime'), 'adcb'],
    [sorted('mtime_diff'), 'acdb'],
    [sorted('>ctime_diff'), 'badc'],
    [sorted('uid', '>path'), 'adcb'],
    [sorted('uid', 'path'), 'acdb'],
  ];
  for (const [index, [found, expected]] of cases.entries()) {
    it(`puts them in order ${expected} (${index + 1})`, () => assert.equal(found, expected));
  }
});
