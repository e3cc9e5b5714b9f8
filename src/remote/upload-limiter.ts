/**
 * Keeps what is sent below a number of bytes a second. It counts in tenths of a second; what was not used of one may be
 * used in the next.
 *
 * Source: Borg 1.4.5 remote.py, SleepingBandwidthLimiter.
 */
import { monotonicMs, sleep } from '../platform/clock.ts';

const PERIOD_MS = 100;

export class UploadLimiter {
  /** What a period adds. */
  readonly #periodBytes: number;
  #leftBytes: number;
  #periodStartMs = monotonicMs();

  constructor(bytesPerSecond: number) {
    this.#periodBytes = Math.max(1, Math.floor((bytesPerSecond * PERIOD_MS) / 1000));
    this.#leftBytes = this.#periodBytes;
  }

  /** How many of these bytes may be sent now; waits until it is one at least. */
  async take(wantedBytes: number): Promise<number> {
    for (;;) {
      const nowMs = monotonicMs();
      if (this.#periodStartMs + PERIOD_MS <= nowMs) {
        this.#leftBytes = Math.min(this.#leftBytes + this.#periodBytes, 2 * this.#periodBytes);
        this.#periodStartMs = nowMs;
      }
      if (this.#leftBytes > 0) break;
      await sleep(this.#periodStartMs + PERIOD_MS - nowMs);
    }
    const taken = Math.min(wantedBytes, this.#leftBytes);
    this.#leftBytes -= taken;
    return taken;
  }
}
