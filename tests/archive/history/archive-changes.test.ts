import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArchiveLists, type ArchiveList } from '../../../src/archive/history/archive-changes.ts';
import { idOf } from '../../repository/fakes.ts';

/** `name@time#id` */
function list(...archives: string[]): ArchiveList {
  return new Map(
    archives.map((text) => {
      const [, name, time, id] = /^(.*)@(.*)#(.*)$/.exec(text)!;
      return [name!, { id: idOf(id!), time: time! }];
    }),
  );
}

const none = { added: [], removed: [], renamed: [], changed: [] };

describe('compareArchiveLists()', () => {
  it('finds nothing in equal lists', () => {
    assert.deepEqual(compareArchiveLists(list('a@1#1', 'b@2#2'), list('b@2#2', 'a@1#1')), none);
  });

  it('tells what came, went, and was replaced under its name', () => {
    const found = compareArchiveLists(list('a@1#1', 'b@2#2'), list('b@2#3', 'c@3#4'));
    assert.deepEqual(found, { ...none, added: ['c'], removed: ['a'], changed: ['b'] });
  });

  it('takes an archive of the same time for renamed', () => {
    const found = compareArchiveLists(list('a@1#1', 'b@2#2'), list('a@1#1', 'c@2#3'));
    assert.deepEqual(found, { ...none, renamed: [{ from: 'b', to: 'c' }] });
  });

  it('takes none for renamed where several have that time', () => {
    const found = compareArchiveLists(list('a@1#1', 'b@1#2'), list('c@1#3'));
    assert.deepEqual(found, { ...none, added: ['c'], removed: ['a', 'b'] });
    const many = compareArchiveLists(list('a@1#1'), list('c@1#3', 'd@1#4'));
    assert.deepEqual(many, { ...none, added: ['c', 'd'], removed: ['a'] });
  });
});
