import assert from 'node:assert/strict';
import { closeSync, openSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { cFunction, cString, lastErrno } from '../../src/platform/libc.ts';

const chdir = cFunction<[Uint8Array]>('int chdir(const void *path)');
const flock = cFunction<[number, number]>('int flock(int fd, int operation)');
const LOCK_EX_NB = 2 | 4;

describe('lastErrno()', () => {
  it("is the failed C call's, whatever the runtime did since", () => {
    assert.equal(chdir(cString('/dev/null')), -1);
    // Node asks the system itself, which leaves ENOENT in errno.
    statSync('/nonexistent', { throwIfNoEntry: false });
    assert.equal(lastErrno(), constants.errno.ENOTDIR);
  });

  it('is EAGAIN where that is the answer, also after repeated calls', () => {
    const file = fileURLToPath(import.meta.url);
    const [holder, other] = [openSync(file, 'r'), openSync(file, 'r')];
    try {
      assert.equal(flock(holder, LOCK_EX_NB), 0);
      assert.equal(flock(other, LOCK_EX_NB), -1);
      assert.equal(lastErrno(), constants.errno.EAGAIN);
    } finally {
      closeSync(other);
      closeSync(holder);
    }
  });
});
