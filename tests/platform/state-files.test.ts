import assert from 'node:assert/strict';
import { mkdtempSync, openSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  isRegularFile,
  listFolder,
  readAndClose,
  readSmallFile,
  readSmallText,
  removeFolder,
  writeEmptyFile,
  writeInPlace,
} from '../../src/platform/state-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'alcove-state-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('state files', () => {
  it('read as written, undefined where absent, cut at the limit', () => {
    const path = join(folder, 'a');
    assert.equal(readSmallFile(path), undefined);
    writeInPlace(path, 'grün', 0o600);
    assert.equal(readSmallText(path), 'grün');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readSmallFile(path, 2), new Uint8Array([0x67, 0x72]));
    const long = new Uint8Array(200_000).fill(7);
    writeFileSync(path, long);
    assert.deepEqual(readSmallFile(path), long);
    assert.throws(() => readSmallFile(folder), { code: 'EISDIR' });
  });

  it('are told from folders, through symbolic links too', () => {
    const path = join(folder, 'b');
    writeEmptyFile(path);
    symlinkSync('b', join(folder, 'link'));
    symlinkSync('nothing', join(folder, 'dangling'));
    assert.ok(isRegularFile(path) && isRegularFile(join(folder, 'link')));
    assert.ok(!isRegularFile(folder) && !isRegularFile(join(folder, 'dangling')));
    assert.ok(listFolder(folder).includes('dangling'));
  });

  it('can be handed over as an open descriptor', () => {
    const path = join(folder, 'c');
    writeFileSync(path, 'content');
    const fd = openSync(path, 'r');
    assert.equal(Buffer.from(readAndClose(fd)).toString(), 'content');
    assert.throws(() => readAndClose(fd), { code: 'EBADF' });
  });

  it('go with their folder', () => {
    removeFolder(folder);
    removeFolder(folder);
    assert.throws(() => listFolder(folder), { code: 'ENOENT' });
  });
});
