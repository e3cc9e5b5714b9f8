import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { describe, it } from 'node:test';
import { OsError, describeOsError, errnoNumber, isOsError } from '../../src/platform/os-error.ts';

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return assert.fail('did not throw');
}

describe('os-error.ts', () => {
  const fromNode = caught(() => lstatSync(Buffer.from('/no/such')));
  const fromC = new OsError(errnoNumber('ENODATA'), 'lgetxattr', Buffer.from('dir/ü'));

  it("OsError has the shape of Node's errors", () => {
    assert.equal(fromC.code, 'ENODATA');
    assert.equal(fromC.errno, -errnoNumber('ENODATA'));
    assert.equal(fromC.syscall, 'lgetxattr');
    assert.match(fromC.message, /^ENODATA: .+, lgetxattr 'dir\/ü'$/);
  });

  it('isOsError() tells by code', () => {
    assert.ok(isOsError(fromNode));
    assert.ok(isOsError(fromNode, 'EPERM', 'ENOENT'));
    assert.ok(isOsError(fromC, 'ENODATA'));
    assert.ok(!isOsError(fromNode, 'EPERM'));
    assert.ok(!isOsError(new RangeError('ENOENT'), 'ENOENT'));
    assert.ok(!isOsError(undefined));
  });

  it('describeOsError() gives the text that Borg shows', () => {
    assert.equal(describeOsError(fromNode), "[Errno 2] No such file or directory: '/no/such'");
    assert.equal(describeOsError(fromNode, "it's"), `[Errno 2] No such file or directory: "it's"`);
    assert.equal(describeOsError(new OsError(13, 'open')), '[Errno 13] Permission denied');
    assert.equal(
      describeOsError(new OsError(1, 'open', '\'"\n\\')),
      `[Errno 1] Operation not permitted: '\\'"\\n\\\\'`,
    );
    assert.equal(describeOsError(new Error('something else')), 'something else');
  });
});
