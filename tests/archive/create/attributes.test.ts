import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readAttributes } from '../../../src/archive/create/attributes.ts';
import { setAcls } from '../../../src/platform/acl.ts';
import { fstat } from '../../../src/platform/file-stat.ts';
import { isOsError } from '../../../src/platform/os-error.ts';
import { setXattr } from '../../../src/platform/xattr.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { scratchFolder } from '../../platform/scratch.ts';

const at = scratchFolder('attributes');
const ALL = { noFlags: false, noXattrs: false, noAcls: false, numericIds: true };
const ACCESS = fromUtf8('user::rwx\nuser:12345:r-x:12345\ngroup::r--\nmask::r-x\nother::---');
const INHERITED = fromUtf8('user::rwx\nuser:12345:rwx:12345\ngroup::r-x\nmask::rwx\nother::---');

function attributesOf(name: string, options = ALL): ReturnType<typeof readAttributes> {
  const fd = openSync(at(name), 'r');
  try {
    return readAttributes(fd, fstat(fd), fromUtf8(name), options);
  } finally {
    closeSync(fd);
  }
}

/** Whether it could be done here. */
function mayBeUnsupported(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (!isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) throw error;
    return false;
  }
}

describe('readAttributes()', () => {
  it('finds the ACLs of files and folders, with and without a look at other attributes', (t) => {
    for (const name of ['file', 'noted']) writeFileSync(at(name), '');
    for (const name of ['access', 'inherited', 'both']) mkdirSync(at(name));
    const isSupported = mayBeUnsupported(() => {
      for (const name of ['file', 'noted']) setAcls(at(name), { aclAccess: ACCESS }, 0o100644);
      for (const name of ['access', 'both']) setAcls(at(name), { aclAccess: ACCESS }, 0o040755);
      for (const name of ['inherited', 'both']) setAcls(at(name), { aclDefault: INHERITED }, 0o040755);
    });
    if (!isSupported) return t.skip('this file system has no ACLs');
    mayBeUnsupported(() => setXattr(at('noted'), 'user.note', fromUtf8('kept')));
    for (const options of [ALL, { ...ALL, noXattrs: true }]) {
      for (const name of ['file', 'noted', 'access', 'both']) {
        assert.match(toUtf8Lossy(attributesOf(name, options).acls!.aclAccess!), /^user:12345:r-x/m, name);
      }
      for (const name of ['inherited', 'both']) {
        assert.match(toUtf8Lossy(attributesOf(name, options).acls!.aclDefault!), /^user:12345:rwx/m, name);
      }
      assert.equal(attributesOf('file', { ...options, noAcls: true }).acls, undefined);
    }
  });

  it('finds nothing where there is nothing, also next to other attributes', (t) => {
    writeFileSync(at('plain'), '');
    mkdirSync(at('empty'));
    for (const name of ['plain', 'empty']) assert.equal(attributesOf(name).acls, undefined, name);
    if (!mayBeUnsupported(() => setXattr(at('plain'), 'user.note', fromUtf8('kept')))) {
      return t.skip('this file system has no attributes');
    }
    const { xattrs, acls } = attributesOf('plain');
    assert.equal(toUtf8Lossy(xattrs!.get('user.note')!), 'kept');
    assert.equal(acls, undefined);
  });
});
