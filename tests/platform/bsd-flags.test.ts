import assert from 'node:assert/strict';
import { closeSync, lstatSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  UF_APPEND,
  UF_IMMUTABLE,
  UF_NODUMP,
  flagsOf,
  getFlags,
  setFlags,
} from '../../src/platform/bsd-flags.ts';
import { fstat, lstat } from '../../src/platform/file-stat.ts';
import { asNobody, isRoot, scratchFolder } from './scratch.ts';

const at = scratchFolder('flags');
const modeOf = (path: string) => lstatSync(path).mode;

function supported(): boolean {
  writeFileSync(at('probe'), '');
  setFlags(at('probe'), UF_NODUMP);
  return getFlags(at('probe'), modeOf(at('probe'))) === UF_NODUMP;
}

const unsupported = supported() ? false : 'this file system has no flags';

describe('bsd-flags.ts', () => {
  it('sets and clears nodump, by path and by open file', { skip: unsupported }, () => {
    for (const path of [at('file'), at('sub')]) {
      if (path === at('sub')) mkdirSync(path);
      else writeFileSync(path, '');
      const fd = openSync(path, 'r');
      for (const target of [path, fd]) {
        assert.equal(getFlags(target, modeOf(path)), 0);
        setFlags(target, UF_NODUMP);
        assert.equal(getFlags(path, modeOf(path)), UF_NODUMP);
        assert.equal(getFlags(fd, modeOf(path)), UF_NODUMP);
        setFlags(target, 0);
      }
      closeSync(fd);
    }
  });

  it('sets immutable and append', { skip: unsupported || (!isRoot && 'only root may') }, () => {
    const path = at('fixed');
    writeFileSync(path, '');
    const fd = openSync(path, 'r');
    try {
      setFlags(fd, UF_IMMUTABLE | UF_NODUMP);
      assert.equal(getFlags(path, modeOf(path)), UF_IMMUTABLE | UF_NODUMP);
      assert.throws(() => writeFileSync(path, 'x'), { code: 'EPERM' });
      setFlags(fd, UF_APPEND);
      assert.equal(getFlags(path, modeOf(path)), UF_APPEND);
      writeFileSync(path, 'more', { flag: 'a' });
    } finally {
      setFlags(fd, 0);
      closeSync(fd);
    }
    assert.equal(getFlags(path, modeOf(path)), 0);
  });

  it('flagsOf() gives what getFlags() gives', { skip: unsupported }, () => {
    mkdirSync(at('asked'));
    writeFileSync(at('asked/file'), '');
    for (const path of [at('asked'), at('asked/file')]) {
      const fd = openSync(path, 'r');
      assert.equal(flagsOf(fd, fstat(fd)), 0);
      setFlags(fd, UF_NODUMP);
      assert.equal(flagsOf(fd, fstat(fd)), UF_NODUMP);
      setFlags(fd, 0);
      closeSync(fd);
    }
  });

  it('flagsOf() takes the answer from the stat, of files and directories alone', () => {
    writeFileSync(at('answered'), '');
    const stat = { ...lstat(at('answered')), inodeFlags: 0x10 | 0x40 };
    assert.equal(flagsOf(at('none'), stat), UF_IMMUTABLE | UF_NODUMP);
    assert.equal(flagsOf(at('none'), { ...stat, mode: 0o040755 }), UF_IMMUTABLE | UF_NODUMP);
    assert.equal(flagsOf(at('none'), { ...stat, mode: 0o010644 }), 0);
    const { inodeFlags: _, ...unknown } = stat;
    assert.equal(flagsOf(at('answered'), unknown), 0);
  });

  it('getFlags() gives 0 where there are none', () => {
    symlinkSync('file', at('link'));
    assert.equal(getFlags(at('link'), modeOf(at('link'))), 0);
    assert.equal(getFlags('/dev/null', modeOf('/dev/null')), 0);
    assert.equal(getFlags('/proc/self/status', modeOf('/proc/self/status')), 0);
    assert.equal(getFlags(at('none'), 0o100644), 0);
  });

  it('setFlags() leaves alone what has none', () => {
    setFlags(at('link'), UF_NODUMP);
    setFlags('/dev/null', UF_NODUMP);
    setFlags('/proc/self/status', UF_NODUMP);
    assert.throws(() => setFlags(at('none'), UF_NODUMP), { code: 'ENOENT' });
  });

  it('setFlags() reports what a normal user may not', { skip: unsupported }, (t) => {
    const found = asNobody(
      ['platform/bsd-flags.ts'],
      `const { mkdtempSync, writeFileSync, rmSync } = await import('node:fs');
       const folder = mkdtempSync('/tmp/alcove-nobody-');
       writeFileSync(folder + '/file', '');
       let code;
       try { setFlags(folder + '/file', 2); } catch (error) { code = error.code; }
       setFlags(folder + '/file', 1);
       const flags = getFlags(folder + '/file', 0o100644);
       rmSync(folder, { recursive: true });
       return { code, flags };`,
    );
    if (found === undefined) return t.skip('the user nobody cannot reach the source tree');
    assert.deepEqual(found, { code: 'EPERM', flags: UF_NODUMP });
  });
});
