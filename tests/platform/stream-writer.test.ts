import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { describe, it } from 'node:test';
import { spawnWriter } from '../../src/platform/process.ts';
import { StreamWriter } from '../../src/platform/stream-writer.ts';

describe('StreamWriter.isAbandoned()', () => {
  it('is true as soon as nobody can read any more', async () => {
    const child = spawnWriter(['sleep', '60'], { env: process.env });
    const writer = new StreamWriter(child.fd, new AbortController().signal);
    try {
      assert.equal(writer.isAbandoned(), false);
      await writer.write(new Uint8Array(10));
      assert.equal(writer.isAbandoned(), false);
      child.kill();
      await child.wait();
      assert.equal(writer.isAbandoned(), true);
    } finally {
      writer.close();
      closeSync(child.fd);
    }
  });
});
