import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Inspector } from '../../../src/archive/create/inspector.ts';
import type { At } from '../../../src/platform/file-stat.ts';
import { closeFile } from '../../../src/platform/open-file.ts';
import { makeFifo } from '../../../src/platform/write-file.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import { asNobody, openBelow, scratchFolder } from '../../platform/scratch.ts';

const at = scratchFolder('inspector');
const inspector = new Inspector({
  cwd: fromUtf8(at()),
  readSpecial: false,
  noFlags: false,
  noXattrs: false,
  noAcls: false,
  numericIds: false,
  attributesAhead: true,
});

function inFolder<Result>(name: string, use: (path: Uint8Array, at: At) => Result): Result {
  const directoryFd = openSync(at(), 'r');
  try {
    return use(fromUtf8(`any/${name}`), { directoryFd, name: fromUtf8(name) });
  } finally {
    closeSync(directoryFd);
  }
}

const onLinux = process.platform === 'linux' ? false : 'folders are searched by descriptor on Linux only';

describe('Inspector.inspectRegular()', { skip: onLinux }, () => {
  it('opens a regular file, and tells what inspect() would', () => {
    writeFileSync(at('file'), 'content');
    inFolder('file', (path, where) => {
      const opened = inspector.inspectRegular(path, where)!;
      const found = inspector.inspect({ path, at: where, stat: opened.stat })!;
      assert.deepEqual({ ...opened, fd: 0 }, { ...found, fd: 0 });
      assert.equal(opened.stat.sizeBytes, 7);
      closeFile(opened.fd);
      closeFile(found.fd!);
    });
  });

  it('leaves to inspect() what is no regular file, or can not be opened, and keeps nothing open', () => {
    mkdirSync(at('folder'));
    symlinkSync('file', at('link'));
    makeFifo(at('fifo'));
    for (const name of ['folder', 'link', 'fifo', 'nothing']) {
      assert.equal(
        inFolder(name, (path, where) => inspector.inspectRegular(path, where)),
        undefined,
        name,
      );
    }
    assert.deepEqual(openBelow(at()), []);
  });

  it('leaves the words for a file that may not be read to the usual way', (t) => {
    const told = asNobody(
      ['archive/create/inspector.ts', 'archive/create/tree-walk.ts'],
      `const { mkdtempSync, writeFileSync, rmSync } = await import('node:fs');
       const folder = mkdtempSync('/tmp/alcove-nobody-');
       writeFileSync(folder + '/secret', '', { mode: 0 });
       const told = [];
       const visitor = {
         directory() {},
         directoryEnd() {},
         object() { told.push('object'); },
         status: (letter) => told.push(letter),
         failed: (_, error) => told.push(error.message),
       };
       const cwd = Buffer.from(folder);
       const none = { noFlags: true, noXattrs: true, noAcls: true, numericIds: true };
       const inspector = new Inspector({ ...none, cwd, readSpecial: false, attributesAhead: true });
       const matcher = { match: () => true, recurseDir: true };
       const options = { cwd, matcher, excludeCaches: false, excludeIfPresent: [], keepExcludeTags: false };
       for (const excludeNodump of [false, true]) {
         const walk = new TreeWalk({ ...options, excludeNodump }, inspector, visitor);
         for (const _ of walk.walk(Buffer.from('.'), undefined));
       }
       rmSync(folder, { recursive: true });
       return told;`,
    );
    if (told === undefined) return t.skip('another user can not run this source tree');
    const words = "open: [Errno 13] Permission denied: 'secret'";
    assert.deepEqual(told, [words, 'E', words, 'E']);
  });
});
