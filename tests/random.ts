/** Randomness for campaigns: from a seed that the test prints, and that ALCOVE_SEED changes. */

export interface Random {
  readonly seed: number;
  /** A number from 0 up to, not including, 1. */
  next(): number;
  /** An integer from 0 up to, not including, `below`. */
  integer(below: number): number;
}

/** Mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, next, integer: (below) => Math.floor(next() * below) };
}

/** From ALCOVE_SEED; else one and the same, since whether a change is good must be no matter of luck. */
export function usualSeed(): number {
  return Number(process.env['ALCOVE_SEED'] ?? 2026);
}

/** The campaign's randomness; says its seed, so that a failure can be repeated. */
export function campaignRandom(name: string): Random {
  const seed = usualSeed();
  console.log(`${name}: ALCOVE_SEED=${seed}`);
  return seededRandom(seed);
}
