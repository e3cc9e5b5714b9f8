import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  LockFailed,
  ObjectNotFound,
  RepositoryDoesNotExist,
  StorageQuotaExceeded,
} from '../../src/errors.ts';
import { errorOf, ServerError } from '../../src/remote/rpc-error.ts';

const LOCATION = 'ssh://host/repo';
const exception = (className: string, args?: readonly string[]) => ({
  className,
  args,
  full: ['Traceback', 'line 5'],
  short: ['what went wrong'],
  trace: true,
  sysinfo: 'Linux\n',
});

describe('errorOf()', () => {
  it('makes the errors that are known here, with the location in place of the path', () => {
    const cases = [
      ['DoesNotExist', ['/srv/repo'], RepositoryDoesNotExist, [LOCATION]],
      ['ObjectNotFound', ['00ff', '/srv/repo'], ObjectNotFound, ['00ff', LOCATION]],
      ['LockFailed', ['/srv/lock', 'EROFS'], LockFailed, ['/srv/lock', 'EROFS']],
      ['StorageQuotaExceeded', ['5 kB', '6 kB'], StorageQuotaExceeded, ['5 kB', '6 kB']],
    ] as const;
    for (const [className, args, type, expected] of cases) {
      const error = errorOf(exception(className, args), LOCATION);
      assert.ok(error instanceof type);
      assert.deepEqual(error.args, expected);
      assert.equal((error.cause as Error).stack, 'Traceback\nline 5\nBorg server: Linux');
    }
  });

  it('does without the arguments that servers of Borg 1.0 do not give', () => {
    assert.deepEqual(errorOf(exception('ObjectNotFound'), LOCATION).args, ['(not available)', LOCATION]);
  });

  it('says of others what the server says, with its class as msgid', () => {
    for (const className of ['OSError', 'constructor', '__proto__']) {
      const error = errorOf(exception(className, []), LOCATION);
      assert.ok(error instanceof ServerError);
      assert.deepEqual([error.msgid, error.exitCode], [className, 2]);
      assert.equal(error.message, 'The server says: what went wrong');
    }
  });
});
