import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { GeneralError, PathNotAllowed } from '../../src/errors.ts';
import { ServedPaths, type Restrictions } from '../../src/remote/served-paths.ts';
import { encodeSurrogateEscaped } from '../../src/util/surrogate-escape.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'alcove-served-')));
after(() => rmSync(root, { recursive: true }));
for (const folder of ['a/b/c', 'a/bc', 'home', 'outside']) mkdirSync(join(root, folder), { recursive: true });
symlinkSync('../../outside', join(root, 'a/b/link'));
symlinkSync(join(root, 'a'), join(root, 'to-a'));
symlinkSync('circle', join(root, 'a/b/circle'));

function resolve(path: string, restrictions: Partial<Restrictions> = {}): string {
  const place = { cwd: join(root, 'a'), env: { BORG_BASE_DIR: join(root, 'home') } };
  const served = new ServedPaths(place, { paths: [], repositories: [], ...restrictions });
  return served.resolve(encodeSurrogateEscaped(path));
}

describe('ServedPaths.resolve()', () => {
  it('finds homes and the folder of the server', () => {
    const places: [string, string][] = [
      ['/~/x/y', 'home/x/y'],
      ['~/x', 'home/x'],
      ['/./b', 'a/b'],
      ['b/c/../d', 'a/b/d'],
      ['/./../outside', 'outside'],
      [join(root, 'to-a/b'), 'a/b'],
      [`${root}/a/b/link/../new`, 'new'],
      [`${root}//a/./b//`, 'a/b'],
    ];
    for (const [path, expected] of places) assert.equal(resolve(path), join(root, expected), path);
    const { username } = userInfo();
    assert.equal(resolve(`/~${username}/repo`), `${realpathSync(userInfo().homedir)}/repo`);
    assert.equal(resolve('/~nobody-of-this-name/repo'), join(root, 'a/~nobody-of-this-name/repo'));
  });

  it('permits a folder, what is below it, and nothing else', () => {
    const within = { paths: [join(root, 'a/b')] };
    for (const path of ['/./b', 'b/c', 'b/new/one', join(root, 'to-a/b/c'), 'bc/../b']) {
      assert.ok(resolve(path, within).startsWith(join(root, 'a/b')), path);
    }
    const refused = [
      'bc',
      '.',
      '/',
      '/etc',
      'b/..',
      'b/link',
      'b/link/x',
      '/~/x',
      'b/new/../../bc',
      '/a',
      '',
    ];
    for (const path of refused) assert.throws(() => resolve(path, within), PathNotAllowed, path);
    assert.throws(() => resolve(join(root, 'a/bc'), within), PathNotAllowed);
  });

  it('permits one repository, and nothing below it', () => {
    const one = { repositories: [join(root, 'to-a/b/')] };
    assert.equal(resolve('b', one), join(root, 'a/b'));
    for (const path of ['b/c', 'bc', '.', 'b/x', '/']) {
      assert.throws(() => resolve(path, one), PathNotAllowed, path);
    }
  });

  it('takes several restrictions, relative ones too, and each kind must permit it', () => {
    const several = { paths: ['bc', '../outside'] };
    assert.equal(resolve('bc/x', several), join(root, 'a/bc/x'));
    assert.equal(resolve('b/link/x', several), join(root, 'outside/x'));
    assert.throws(() => resolve('b', several), PathNotAllowed);
    assert.throws(() => resolve('b', { paths: ['b'], repositories: ['bc'] }), PathNotAllowed);
    assert.equal(resolve('/etc', { paths: ['/'] }), '/etc');
  });

  it('refuses what is no path', () => {
    assert.throws(() => resolve('b\0c'), GeneralError);
    assert.throws(() => resolve('b\udcff'), GeneralError);
    assert.throws(() => resolve('b/circle/x'), { code: 'ELOOP' });
  });
});
