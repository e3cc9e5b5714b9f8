/**
 * How many buckets a HashIndex has, and when it grows, shrinks or is rebuilt.
 *
 * A table of up to LARGE_COUNT buckets follows Borg to the byte. A larger one is filled more densely and grows in
 * smaller steps, so that a chunk takes 47 to 59 bytes of 40-byte buckets, where it took 53 to 107. Borg reads tables of
 * any size and load; it grows what is fuller than its own limit when it adds to it.
 *
 * Source: Borg 1.4.5 _hashindex.c, hash_sizes, get_lower_limit() and the functions after it.
 */
const SIZES = [1031, 2053, 4099, 8209, 16411, 32771, 65537, 131101, 262147];
const LARGE_COUNT = SIZES.at(-1)!;
/** Borg's largest table. */
const MAX_COUNT = 2_062_383_853;
const LARGE_STEP = 1.25;
const MIN_LOAD = 0.25;
const MAX_LOAD = 0.75;
const LARGE_MAX_LOAD = 0.85;
/** Of used and deleted buckets together. */
const MAX_EFFECTIVE_LOAD = 0.93;

/** Whether a table of this size goes its own way. */
export function isLarge(count: number): boolean {
  return count > LARGE_COUNT;
}

/** The table size for at least `count` buckets. */
export function fitSize(count: number): number {
  return isLarge(count) ? largeSize(count) : SIZES.find((size) => size >= count)!;
}

export function growSize(count: number): number {
  if (count >= LARGE_COUNT) return largeSize(count * LARGE_STEP);
  const fit = SIZES.indexOf(fitSize(count));
  return SIZES[fit + 1] ?? largeSize(LARGE_COUNT * LARGE_STEP);
}

export function shrinkSize(count: number): number {
  if (isLarge(count)) return Math.max(largeSize(count / LARGE_STEP), LARGE_COUNT);
  return SIZES[Math.max(SIZES.indexOf(fitSize(count)) - 1, 0)]!;
}

/** The table shrinks when it holds fewer entries. */
export function lowerLimit(count: number): number {
  return count <= SIZES[0]! ? 0 : Math.trunc(count * MIN_LOAD);
}

/** The table grows when it holds more entries. */
export function upperLimit(count: number): number {
  if (count >= MAX_COUNT) return count;
  return Math.trunc(count * (isLarge(count) ? LARGE_MAX_LOAD : MAX_LOAD));
}

/** The table is rebuilt where this few never-used buckets are left; at least 1, so that every search ends. */
export function minEmpty(count: number): number {
  return 1 + Math.trunc(count * (1 - MAX_EFFECTIVE_LOAD));
}

/** Capacity that takes `usable` entries without growing (Borg: usable=). */
export function capacityFor(usable: number): number {
  const capacity = Math.trunc(usable / MAX_LOAD);
  return isLarge(capacity) ? Math.max(Math.ceil(usable / LARGE_MAX_LOAD), LARGE_COUNT + 1) : capacity;
}

function largeSize(count: number): number {
  return Math.min(Math.ceil(count), MAX_COUNT);
}
