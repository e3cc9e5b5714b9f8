import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PosixStore } from '../../src/store/posix-store.ts';
import { saveFile, writeFully } from '../../src/platform/save-file.ts';
import { runAsTest } from './campaign.ts';
import { errorsCampaign } from './errors-campaign.ts';
import { withFault } from './failing-fs.ts';

describe('an error of the file system at any change that a command makes', () => {
  it('is said, and what was committed stays', () => runAsTest(errorsCampaign));
});

describe('a write that takes only a part of the bytes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'alcove-short-'));
  const bytes = new Uint8Array(1000).map((_, at) => at);

  it('is gone on with, by the store and by the files of the home', async () => {
    const store = new PosixStore(folder);
    const short = { at: 0, kind: 'short' } as const;
    const record = await withFault(folder, short, async () => {
      const file = store.createFile('parts');
      file.write(bytes.subarray(0, 300), bytes.subarray(300, 301), bytes.subarray(301));
      file.close();
      await Promise.resolve();
    });
    assert.equal(record.failed, 'writevSync parts');
    assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'parts'))), bytes);
    await withFault(folder, short, async () => {
      saveFile(join(folder, 'saved'), bytes);
      await Promise.resolve();
    });
    assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'saved'))), bytes);
    await withFault(folder, short, async () => {
      const fd = openSync(join(folder, 'placed'), 'w');
      writeFully(fd, bytes, 10);
      closeSync(fd);
      await Promise.resolve();
    });
    assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'placed')).subarray(10)), bytes);
    rmSync(folder, { recursive: true });
  });
});
