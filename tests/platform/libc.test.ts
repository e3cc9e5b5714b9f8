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

describe('cString()', () => {
  it('ends a path with a zero byte, whatever was in its memory before', () => {
    for (const path of ['a longer path/é', 'short', '', 'x'.repeat(9000)]) {
      const ended = cString(path);
      const bytes = Buffer.from(path);
      assert.deepEqual(Buffer.from(ended.subarray(0, bytes.length + 1)), Buffer.from(`${path}\0`));
    }
  });

  it('refuses a zero byte inside of a path', () => {
    for (const path of ['\0', 'a\0b', 'end\0', `${'x'.repeat(9000)}\0`]) {
      assert.throws(() => cString(path), RangeError);
    }
  });
});
