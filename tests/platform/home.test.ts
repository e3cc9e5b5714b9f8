import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { GeneralError } from '../../src/errors.ts';
import type { Account } from '../../src/platform/home.ts';
import {
  getBaseDir,
  getCacheDir,
  getConfigDir,
  getKeysDir,
  getSecurityDir,
} from '../../src/platform/home.ts';

const homes = new Map<number | string, string>([
  [0, '/root'],
  [1000, '/home/ann'],
  ['ann', '/home/ann/'],
]);
const account = (uid: number): Account => ({ uid, homeOf: (user) => homes.get(user) });

describe('getBaseDir()', () => {
  const table: [string, Record<string, string>, number, string][] = [
    ['takes BORG_BASE_DIR first', { BORG_BASE_DIR: '/base', HOME: '/home/ann', USER: 'ann' }, 1000, '/base'],
    ['takes HOME', { HOME: '/elsewhere', USER: 'ann' }, 1000, '/elsewhere'],
    ["takes root's HOME for root", { HOME: '/root' }, 0, '/root'],
    ["does not believe root's HOME for others", { HOME: '/root/.', USER: 'ben' }, 1000, '/home/ann'],
    ["falls back to USER where root's HOME is wrong", { HOME: '/root', USER: 'ann' }, 7, '/home/ann'],
    ['ignores an empty BORG_BASE_DIR', { BORG_BASE_DIR: '', HOME: '/h' }, 1000, '/h'],
    ['falls back to the home of USER', { USER: 'ann' }, 0, '/home/ann'],
    ['keeps ~USER for an unknown user', { USER: 'zoe' }, 0, '~zoe'],
    ['falls back to the password database', {}, 1000, '/home/ann'],
    ['ends at ~', {}, 7, '~'],
  ];
  for (const [title, env, uid, expected] of table) {
    it(title, () => assert.equal(getBaseDir(env, account(uid)), expected));
  }
});

describe('the folders in the home', () => {
  const root = mkdtempSync(join(tmpdir(), 'alcove-home-'));
  let count = 0;
  let home: string;
  beforeEach(() => {
    home = join(root, `home${count++}`);
  });
  after(() => rmSync(root, { recursive: true }));

  const id = 'ab'.repeat(32);

  it('are under HOME by default, made for the user alone', () => {
    const env = { HOME: home };
    assert.equal(getConfigDir(env), join(home, '.config/borg'));
    assert.equal(getKeysDir(env), join(home, '.config/borg/keys'));
    assert.equal(getSecurityDir(env), join(home, '.config/borg/security'));
    assert.equal(getSecurityDir(env, id), join(home, '.config/borg/security', id));
    assert.equal(getCacheDir(env), join(home, '.cache/borg'));
    for (const path of ['.config/borg', '.config/borg/keys', `.config/borg/security/${id}`, '.cache/borg']) {
      assert.equal(statSync(join(home, path)).mode & 0o777, 0o700, path);
    }
  });

  it('follow XDG_CONFIG_HOME and XDG_CACHE_HOME', () => {
    const env = { HOME: '/nowhere', XDG_CONFIG_HOME: join(home, 'c'), XDG_CACHE_HOME: join(home, 'k') };
    assert.equal(getKeysDir(env), join(home, 'c/borg/keys'));
    assert.equal(getCacheDir(env), join(home, 'k/borg'));
  });

  it('do not follow XDG variables where BORG_BASE_DIR is set', () => {
    const env = { BORG_BASE_DIR: home, XDG_CONFIG_HOME: '/nowhere', XDG_CACHE_HOME: '/nowhere' };
    assert.equal(getConfigDir(env), join(home, '.config/borg'));
    assert.equal(getCacheDir(env), join(home, '.cache/borg'));
  });

  it('follow a variable of their own before all others', () => {
    const env = {
      BORG_BASE_DIR: '/nowhere',
      BORG_CONFIG_DIR: join(home, 'config'),
      BORG_KEYS_DIR: join(home, 'keys'),
      BORG_SECURITY_DIR: join(home, 'security'),
      BORG_CACHE_DIR: join(home, 'cache'),
    };
    assert.equal(getConfigDir(env), join(home, 'config'));
    assert.equal(getKeysDir(env), join(home, 'keys'));
    assert.equal(getSecurityDir(env, id), join(home, 'security', id));
    assert.equal(getCacheDir(env), join(home, 'cache'));
  });

  it('mark the cache with a tag, once', () => {
    const path = join(getCacheDir({ HOME: home }), 'CACHEDIR.TAG');
    assert.equal(
      readFileSync(path, 'utf8'),
      'Signature: 8a477f597d28d172789f06886806bc55\n' +
        '# This file is a cache directory tag created by Borg.\n' +
        '# For information about cache directory tags, see:\n' +
        '#       http://www.bford.info/cachedir/spec.html\n',
    );
    writeFileSync(path, 'mine');
    getCacheDir({ HOME: home });
    assert.equal(readFileSync(path, 'utf8'), 'mine');
  });

  it("report a folder that can't be made", () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    assert.throws(
      () => getKeysDir({ BORG_KEYS_DIR: join(file, 'keys') }),
      (error) => error instanceof GeneralError && error.message.includes('[Errno 20] Not a directory'),
    );
  });
});
