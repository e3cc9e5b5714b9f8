/** Fewest blocks to ask for at once: enough for 64 MiB. */
export const LEASE_BLOCKS = 2 ** 22;

/**
 * Hands out nonces, one for each 16-byte block, from ranges that it owns. What is left of a range when the next one
 * begins, or at the end, is never used by anyone.
 */
export class NonceRange {
  /** Reserves so many blocks for this range alone, and gives the first. */
  readonly #lease: (blocks: number) => bigint;
  #next = 0n;
  #end = 0n;

  constructor(lease: (blocks: number) => bigint) {
    this.#lease = lease;
  }

  /** First of `blocks` nonces that nobody else gets. */
  take(blocks: number): bigint {
    const wanted = BigInt(blocks);
    if (this.#end - this.#next < wanted) {
      const leased = Math.max(blocks, LEASE_BLOCKS);
      this.#next = this.#lease(leased);
      this.#end = this.#next + BigInt(leased);
    }
    const first = this.#next;
    this.#next += wanted;
    return first;
  }
}
