/** Time, as the outside world has it. */

const startNs = BigInt(Date.now()) * 1_000_000n;
const startTickNs = process.hrtime.bigint();
const DRIFT_LIMIT_NS = 2_000_000n;

/** Wall clock, ns since 1970. Finer than the clock's ms, and never further than 2 ms from it. */
export function nowNs(): bigint {
  const fine = startNs + (process.hrtime.bigint() - startTickNs);
  const coarse = BigInt(Date.now()) * 1_000_000n;
  const drift = fine - coarse;
  return drift > DRIFT_LIMIT_NS || drift < -DRIFT_LIMIT_NS ? coarse : fine;
}

/** A clock that only goes forward, in ms: for durations. */
export function monotonicMs(): number {
  return performance.now();
}

export function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, durationMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Blocks the thread. For short waits in synchronous code. */
export function sleepSync(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
