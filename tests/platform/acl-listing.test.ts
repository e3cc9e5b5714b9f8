import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setAcls } from '../../src/platform/acl.ts';
import { forgetDevice, listsAcls, showsNoAcls } from '../../src/platform/acl-listing.ts';
import { fstat } from '../../src/platform/file-stat.ts';
import { isOsError } from '../../src/platform/os-error.ts';
import { readXattrs } from '../../src/platform/xattr.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';
import { scratchFolder } from './scratch.ts';

const at = scratchFolder('acl-listing');
const ACCESS = fromUtf8('user::rw-\nuser:12345:rwx:12345\ngroup::r--\nmask::r--\nother::---');
const INHERITED = fromUtf8('user::rwx\nuser:12345:r-x:12345\ngroup::r-x\nmask::r-x\nother::---');

describe('listsAcls()', () => {
  it('is true only where the list of attributes names an ACL that there is', (t) => {
    writeFileSync(at('file'), '');
    mkdirSync(at('folder'));
    try {
      setAcls(at('file'), { aclAccess: ACCESS }, 0o100644);
      setAcls(at('folder'), { aclDefault: INHERITED }, 0o040755);
    } catch (error) {
      if (!isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) throw error;
      return t.skip('this file system has no ACLs');
    }
    for (const name of ['file', 'folder']) {
      const fd = openSync(at(name), 'r');
      const { namesAcls } = readXattrs(fd);
      if (listsAcls(fd, fstat(fd), name === 'folder')) assert.equal(namesAcls, true, name);
      else t.diagnostic(`a list of this file system is not relied on; it names ACLs: ${namesAcls}`);
      closeSync(fd);
    }
  });

  it('is false of a file system that is not known for it, also after one that is', () => {
    const known = openSync(at(), 'r');
    const unknown = openSync('/proc/self', 'r');
    listsAcls(known, fstat(known), true);
    assert.equal(listsAcls(unknown, fstat(unknown), false), false);
    listsAcls(known, fstat(known), true);
    // As if another one had got its number.
    assert.equal(listsAcls(unknown, fstat(known), true), false);
    closeSync(known);
    closeSync(unknown);
  });

  it('asks again of a file after forgetDevice()', () => {
    const known = openSync(at(), 'r');
    const unknown = openSync('/proc/self', 'r');
    listsAcls(known, fstat(known), true);
    forgetDevice();
    assert.equal(listsAcls(unknown, fstat(known), false), false);
    closeSync(known);
    closeSync(unknown);
  });

  it('is false of what is not open', () => {
    assert.equal(listsAcls(9999, { dev: 0n }, true), false);
  });
});

describe('showsNoAcls()', () => {
  it('is false where there is no list, where it names ACLs, and where lists are not relied on', () => {
    const fd = openSync('/proc/self', 'r');
    const stat = fstat(fd);
    for (const namesAcls of [undefined, true, false]) assert.equal(showsNoAcls(fd, stat, namesAcls), false);
    closeSync(fd);
    const known = openSync(at(), 'r');
    assert.equal(showsNoAcls(known, fstat(known), undefined), false);
    assert.equal(showsNoAcls(known, fstat(known), true), false);
    assert.equal(showsNoAcls(known, fstat(known), false), listsAcls(known, fstat(known), true));
    closeSync(known);
  });
});
