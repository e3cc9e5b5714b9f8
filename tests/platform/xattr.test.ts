import assert from 'node:assert/strict';
import { closeSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isOsError } from '../../src/platform/os-error.ts';
import {
  findXattr,
  getXattr,
  listXattrs,
  readXattrs,
  setXattr,
  writeXattrs,
} from '../../src/platform/xattr.ts';
import { asNobody, isRoot, scratchFolder } from './scratch.ts';

const at = scratchFolder('xattr');
const bytes = (text: string) => Buffer.from(text);

function supported(): boolean {
  writeFileSync(at('probe'), '');
  try {
    setXattr(at('probe'), 'user.probe', bytes('1'));
    return true;
  } catch (error) {
    if (isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) return false;
    throw error;
  }
}

const unsupported = supported() ? false : 'this file system has no extended attributes of users';

describe('xattr.ts', () => {
  it('round-trips names and values as bytes, by path and by open file', { skip: unsupported }, () => {
    const path = at('file');
    writeFileSync(path, '');
    const fd = openSync(path, 'r');
    const odd = Buffer.concat([bytes('user.'), Buffer.from([0xff, 0x80, 0x20])]);
    setXattr(path, 'user.text', bytes('value'));
    setXattr(fd, odd, Buffer.from([0, 255, 0]));
    setXattr(Buffer.from(path), 'user.empty', bytes(''));
    for (const target of [path, fd]) {
      assert.deepEqual(
        new Set(listXattrs(target).map((name) => Buffer.from(name).toString('latin1'))),
        new Set(['user.text', odd.toString('latin1'), 'user.empty']),
      );
      assert.deepEqual(getXattr(target, odd), new Uint8Array([0, 255, 0]));
      const { xattrs, warnings } = readXattrs(target);
      assert.deepEqual(xattrs.get('user.text'), new Uint8Array(bytes('value')));
      assert.equal(xattrs.get('user.empty'), null);
      assert.equal(xattrs.size, 3);
      assert.deepEqual(warnings, []);
    }
    closeSync(fd);
  });

  it('grows its buffer for long lists and values', { skip: unsupported }, (t) => {
    const path = at('long');
    writeFileSync(path, '');
    const value = Buffer.alloc(3000, 'v');
    setXattr(path, 'user.value', value);
    const names: string[] = ['user.value'];
    try {
      for (let index = 0; index < 40; index++) {
        const name = `user.${'n'.repeat(200)}${index}`;
        setXattr(path, name, bytes(''));
        names.push(name);
      }
    } catch (error) {
      if (!isOsError(error, 'ENOSPC')) throw error;
      t.diagnostic(`this file system takes only ${names.length} of the attributes`);
    }
    assert.deepEqual(
      listXattrs(path)
        .map((name) => Buffer.from(name).toString())
        .toSorted(),
      names.toSorted(),
    );
    assert.deepEqual(Buffer.from(getXattr(path, 'user.value')), value);
  });

  it('writeXattrs() restores what readXattrs() gave', { skip: unsupported }, () => {
    writeFileSync(at('copy'), '');
    const { xattrs } = readXattrs(at('file'));
    assert.deepEqual(writeXattrs(at('copy'), xattrs), []);
    assert.deepEqual(readXattrs(at('copy')).xattrs, xattrs);
  });

  it('does not follow symlinks', { skip: unsupported }, () => {
    symlinkSync('file', at('link'));
    assert.deepEqual(listXattrs(at('link')), []);
    assert.throws(() => getXattr(at('link'), 'user.text'), { code: /ENODATA|EPERM/ });
    assert.throws(() => setXattr(at('link'), 'user.text', bytes('changed')), { code: 'EPERM' });
    assert.deepEqual(Buffer.from(getXattr(at('file'), 'user.text')).toString(), 'value');
  });

  it('reads attributes of symlinks themselves', { skip: unsupported || (!isRoot && 'only root may') }, () => {
    symlinkSync('nowhere', at('dangling'));
    setXattr(at('dangling'), 'trusted.own', bytes('x'));
    assert.deepEqual([...readXattrs(at('dangling')).xattrs.keys()], ['trusted.own']);
  });

  it('reports a missing attribute and a missing file', () => {
    writeFileSync(at('bare'), '');
    assert.throws(() => getXattr(at('bare'), 'user.none'), { code: /ENODATA|ENOTSUP/, path: at('bare') });
    assert.equal(findXattr(at('bare'), 'user.none'), undefined);
    assert.throws(() => listXattrs(at('none')), { code: 'ENOENT' });
    assert.throws(() => findXattr(at('none'), 'user.none'), { code: 'ENOENT' });
    assert.throws(() => readXattrs(at('none')), { code: 'ENOENT' });
    assert.throws(() => listXattrs(9999), { code: 'EBADF' });
  });

  it('gives nothing of a file system without attributes', () => {
    assert.equal(readXattrs('/proc/self/status').xattrs.size, 0);
  });

  it('writeXattrs() goes on after one that fails, and says so', { skip: unsupported }, () => {
    const path = at('partly');
    writeFileSync(path, '');
    const warnings = writeXattrs(
      path,
      new Map([
        ['user.first', new Uint8Array([1])],
        ['nonsense.name', new Uint8Array([2])],
        ['user.huge', new Uint8Array(70_000)],
        ['user.a\0b', null],
        ['user.last', null],
      ]),
      'shown/path',
    );
    assert.deepEqual([...readXattrs(path).xattrs.keys()].toSorted(), ['user.first', 'user.last']);
    assert.equal(warnings.length, 3);
    assert.match(
      warnings[0]!,
      /^when setting extended attribute nonsense\.name: \[Errno 95\] .* not supported: 'shown\/path'$/,
    );
    assert.match(warnings[1]!, /user\.huge: (?:too big for this filesystem|fs full or xattr too big\?)/);
    assert.match(warnings[2]!, /zero byte/);
  });

  it('serves a normal user, who may not set security attributes', { skip: unsupported }, (t) => {
    const found = asNobody(
      ['platform/xattr.ts'],
      `const { mkdtempSync, writeFileSync, rmSync } = await import('node:fs');
       const folder = mkdtempSync('/tmp/alcove-nobody-');
       writeFileSync(folder + '/file', '');
       const one = new Uint8Array([1]);
       const warnings = writeXattrs(folder + '/file', new Map([['user.a', one], ['security.capability', one]]));
       const names = [...readXattrs(folder + '/file').xattrs.keys()];
       rmSync(folder, { recursive: true });
       return { names, warnings };`,
    ) as { names: string[]; warnings: string[] } | undefined;
    if (found === undefined) return t.skip('the user nobody cannot reach the source tree');
    assert.deepEqual(found.names, ['user.a']);
    assert.equal(found.warnings.length, 1);
    assert.match(found.warnings[0]!, /security\.capability: \[Errno (?:1|22)\]/);
  });
});
