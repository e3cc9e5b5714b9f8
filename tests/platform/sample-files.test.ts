import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeSampleFiles } from '../../src/platform/sample-files.ts';
import { scratchFolder } from './scratch.ts';

const at = scratchFolder('sample-files');
const SIZE_BYTES = 2_500_000;

test('makeSampleFiles() makes zeros or noise, and removes it', () => {
  {
    using folder = makeSampleFiles(at('a/b'), { count: 3, sizeBytes: SIZE_BYTES, random: false });
    assert.equal(folder.path, at('a/b/borg-test-data'));
    assert.deepEqual(readdirSync(folder.path).toSorted(), ['file_0', 'file_1', 'file_2']);
    assert.deepEqual(readFileSync(`${folder.path}/file_2`), Buffer.alloc(SIZE_BYTES));
  }
  assert.deepEqual(readdirSync(at('a/b')), []);
  using folder = makeSampleFiles(at('a/b'), { count: 2, sizeBytes: SIZE_BYTES, random: true });
  const [one, other] = ['file_0', 'file_1'].map((name) => readFileSync(`${folder.path}/${name}`));
  assert.deepEqual([one!.length, other!.length], [SIZE_BYTES, SIZE_BYTES]);
  assert.notDeepEqual(one, other);
  assert.notDeepEqual(one!.subarray(0, 1 << 20), one!.subarray(1 << 20, 2 << 20));
});

test('makeSampleFiles() leaves a folder alone that is there', () => {
  mkdirSync(at('mine/borg-test-data'), { recursive: true });
  writeFileSync(at('mine/borg-test-data/thesis'), 'years of work');
  assert.throws(() => makeSampleFiles(at('mine'), { count: 1, sizeBytes: 1, random: false }), {
    code: 'EEXIST',
  });
  assert.ok(existsSync(at('mine/borg-test-data/thesis')));
});
