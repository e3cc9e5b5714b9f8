import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { LocalNonceFile } from '../../src/keys/local-nonce.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alcove-nonce-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('LocalNonceFile', () => {
  it('reads what it committed, as 16 hex digits', async () => {
    const file = new LocalNonceFile(() => folder);
    assert.equal(file.read(), undefined);
    await file.commit(0x2033n, undefined);
    assert.equal(readFileSync(join(folder, 'nonce'), 'utf8'), '0000000000002033');
    await file.commit(2n ** 63n, 0x2033n);
    assert.equal(file.read(), 2n ** 63n);
    assert.deepEqual(readdirSync(folder), ['nonce']);
  });

  it('refuses to commit over a mark that changed, and to lower it', async () => {
    const file = new LocalNonceFile(() => folder);
    await file.commit(100n, undefined);
    await assert.rejects(file.commit(200n, undefined), /mismatched previous state/);
    await assert.rejects(file.commit(200n, 99n), /mismatched previous state/);
    await assert.rejects(file.commit(99n, 100n), /must not be lowered/);
    assert.equal(file.read(), 100n);
  });

  it('lets only one of two that start from the same mark have it', async () => {
    const [a, b] = [new LocalNonceFile(() => folder), new LocalNonceFile(() => folder)];
    const results = await Promise.allSettled([a.commit(100n, undefined), b.commit(200n, undefined)]);
    assert.deepEqual(results.map((result) => result.status).toSorted(), ['fulfilled', 'rejected']);
  });

  it('rejects damaged content instead of guessing', () => {
    for (const text of [
      '',
      '123',
      '00000000000020zz',
      '0x00000000002033',
      '00000000000020330',
      '-000000000002033',
    ]) {
      writeFileSync(join(folder, 'nonce'), text);
      assert.throws(() => new LocalNonceFile(() => folder).read(), /invalid nonce file/);
    }
    writeFileSync(join(folder, 'nonce'), '0000000000002033\n');
    assert.equal(new LocalNonceFile(() => folder).read(), 0x2033n);
  });
});
