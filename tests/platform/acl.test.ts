import assert from 'node:assert/strict';
import { chmodSync, closeSync, mkdirSync, openSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Acls, getAcls, setAcls } from '../../src/platform/acl.ts';
import { isOsError } from '../../src/platform/os-error.ts';
import { asNobody, scratchFolder } from './scratch.ts';

const at = scratchFolder('acl');
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const modeOf = (path: string) => statSync(path).mode;
const FILE = 'user::rw-\nuser:12345:rwx\t:12345\ngroup::r--\nmask::r--\nother::---';
const INHERITED = 'user::rwx\nuser:12345:r-x:12345\ngroup::r-x\nmask::r-x\nother::---';

function supported(): boolean {
  writeFileSync(at('probe'), '');
  try {
    setAcls(at('probe'), { aclAccess: bytes(FILE) }, modeOf(at('probe')));
    return true;
  } catch (error) {
    if (isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) return false;
    throw error;
  }
}

const unsupported = supported() ? false : 'this file system has no ACLs';

describe('acl.ts', () => {
  it('round-trips an access ACL, by path and by open file', { skip: unsupported }, () => {
    const path = at('file');
    writeFileSync(path, '');
    const fd = openSync(path, 'r');
    for (const target of [path, fd]) {
      setAcls(target, { aclAccess: bytes(FILE) }, modeOf(path));
      for (const source of [path, fd]) {
        assert.deepEqual(getAcls(source, modeOf(path)), { aclAccess: bytes(FILE) });
      }
    }
    // The mask stands in for the group's bits.
    assert.equal(modeOf(path) & 0o777, 0o640);
    closeSync(fd);
  });

  it('round-trips the ACLs of folders', { skip: unsupported }, () => {
    const path = at('sub');
    mkdirSync(path);
    chmodSync(path, 0o750);
    setAcls(path, { aclDefault: bytes(INHERITED) }, modeOf(path));
    assert.deepEqual(getAcls(path, modeOf(path)), {
      aclAccess: bytes('user::rwx\ngroup::r-x\nother::---'),
      aclDefault: bytes(INHERITED),
    });
    mkdirSync(at('other'));
    setAcls(at('other'), { aclAccess: bytes(FILE), aclDefault: bytes('') }, modeOf(at('other')));
    assert.deepEqual(getAcls(at('other'), modeOf(at('other'))), {
      aclAccess: bytes(FILE),
      aclDefault: bytes(''),
    });
  });

  it('gives nothing of files whose permission bits say it all, and of symlinks', () => {
    writeFileSync(at('plain'), '');
    symlinkSync('file', at('link'));
    assert.deepEqual(getAcls(at('plain'), modeOf(at('plain'))), {});
    assert.deepEqual(getAcls(at(), modeOf(at())), {});
    assert.deepEqual(getAcls(at('link'), 0o120777), {});
    assert.deepEqual(getAcls('/proc/self/status', 0o100444), {});
    setAcls(at('link'), { aclAccess: bytes(FILE) }, 0o120777);
  });

  it('setAcls() says EINVAL to what is no ACL, and ENOTSUP where there are none', () => {
    const path = at('plain');
    for (const bad of ['nonsense', 'user:nobody-here:rwx', 'user:1:rwx:1\nother::---']) {
      assert.throws(() => setAcls(path, { aclAccess: bytes(bad) }, modeOf(path)), {
        code: /EINVAL|ENOTSUP/,
        path,
      });
    }
    const acls: Acls = { aclAccess: bytes(FILE) };
    assert.throws(() => setAcls('/proc/self/status', acls, 0o100444), { code: 'ENOTSUP' });
    assert.throws(() => getAcls(at('none'), 0o100644), { code: 'ENOENT' });
  });

  it('serves a normal user on a file of his own', { skip: unsupported }, (t) => {
    const found = asNobody(
      ['platform/acl.ts'],
      `const { mkdtempSync, writeFileSync, rmSync } = await import('node:fs');
       const folder = mkdtempSync('/tmp/alcove-nobody-');
       writeFileSync(folder + '/file', '');
       setAcls(folder + '/file', { aclAccess: Buffer.from(${JSON.stringify(FILE)}) }, 0o100644);
       const text = Buffer.from(getAcls(folder + '/file', 0o100644).aclAccess).toString();
       rmSync(folder, { recursive: true });
       return text;`,
    );
    if (found === undefined) return t.skip('the user nobody cannot reach the source tree');
    assert.equal(found, FILE);
  });
});
