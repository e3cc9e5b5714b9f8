import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { monotonicMs, nowNs, sleep, sleepSync } from '../../src/platform/clock.ts';

describe('clock.ts', () => {
  it('nowNs() is the wall clock, finer than a millisecond', () => {
    const off = nowNs() - BigInt(Date.now()) * 1_000_000n;
    assert.ok(off > -20_000_000n && off < 20_000_000n, `${off} ns off`);
    const samples = Array.from({ length: 20 }, () => nowNs());
    assert.ok(samples.some((sample) => sample % 1_000_000n !== 0n));
  });

  it('sleep() and sleepSync() last', async () => {
    const start = monotonicMs();
    await sleep(5);
    sleepSync(5);
    assert.ok(monotonicMs() - start >= 9);
  });

  it('sleep() ends early by its signal', async () => {
    await assert.rejects(sleep(60_000, AbortSignal.timeout(5)), { name: 'TimeoutError' });
    await assert.rejects(sleep(60_000, AbortSignal.abort(new Error('gone'))), /gone/);
  });
});
