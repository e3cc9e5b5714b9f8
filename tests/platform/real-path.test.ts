import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { realPath } from '../../src/platform/real-path.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'alcove-real-path-')));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'a/b'), { recursive: true });
writeFileSync(join(root, 'a/file'), '');
symlinkSync('a/b', join(root, 'link'));
symlinkSync('../../link/new', join(root, 'a/b/onward'));
symlinkSync('nowhere/x', join(root, 'dangling'));
symlinkSync('round', join(root, 'circle'));
symlinkSync('circle', join(root, 'round'));

describe('realPath()', () => {
  const cases: [string, string][] = [
    ['link', 'a/b'],
    ['link/../file', 'a/file'],
    ['link/onward/x', 'a/b/new/x'],
    ['dangling', 'nowhere/x'],
    ['dangling/../y', 'nowhere/y'],
    ['a/file/below', 'a/file/below'],
    ['missing/../link/.', 'a/b'],
    ['.//a///b/', 'a/b'],
    ['.', ''],
  ];
  for (const [path, expected] of cases) {
    it(`of ${path} is ${expected === '' ? 'the folder' : expected}`, () => {
      assert.equal(realPath(path, root), join(root, expected));
      assert.equal(realPath(`${root}/${path}`, '/elsewhere'), join(root, expected));
    });
  }

  it('ends at the root', () => {
    assert.equal(realPath('/', root), '/');
    assert.equal(realPath('/../..', root), '/');
    assert.equal(realPath('//nowhere-to-be-found', root), '/nowhere-to-be-found');
  });

  it('refuses links that lead in a circle', () => {
    assert.throws(() => realPath('circle/x', root), { code: 'ELOOP' });
  });
});
