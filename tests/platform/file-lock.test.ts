import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withFileLock } from '../../src/platform/file-lock.ts';

describe('withFileLock()', () => {
  it('keeps other processes out while the section runs, and lets them in after', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'alcove-lock-'));
    try {
      const other = () => {
        const module = JSON.stringify(new URL('../../src/platform/file-lock.ts', import.meta.url).href);
        const script = `const { withFileLock } = await import(${module});
          await withFileLock(${JSON.stringify(folder)}, 30, () => console.log('in'));`;
        return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      };
      const during = await withFileLock(folder, 0, other);
      assert.equal(during.stdout, '');
      assert.match(during.stderr, /stayed locked by another process for 30 ms/);
      assert.equal(other().stdout, 'in\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('frees the lock where the section throws', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'alcove-lock-'));
    try {
      await assert.rejects(
        withFileLock(folder, 0, () => {
          throw new Error('inside');
        }),
        /inside/,
      );
      assert.equal(await withFileLock(folder, 0, () => 1), 1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
