/**
 * How many buckets a HashIndex has, and when it grows, shrinks or is rebuilt.
 *
 * Source: Borg 1.4.5 _hashindex.c, hash_sizes, get_lower_limit() and the functions after it.
 */
const SIZES = [
  1031, 2053, 4099, 8209, 16411, 32771, 65537, 131101, 262147, 445649, 757607, 1287917, 2189459, 3065243,
  4291319, 6007867, 8410991, 11775359, 16485527, 23079703, 27695653, 33234787, 39881729, 47858071, 57429683,
  68915617, 82698751, 99238507, 119086189, 144378011, 157223263, 173476439, 190253911, 209915011, 230493629,
  253169431, 278728861, 306647623, 337318939, 370742809, 408229973, 449387209, 493428073, 543105119,
  596976533, 657794869, 722676499, 795815791, 874066969, 962279771, 1057701643, 1164002657, 1280003147,
  1407800297, 1548442699, 1703765389, 1873768367, 2062383853,
];
const LAST = SIZES.length - 1;
const MIN_LOAD = 0.25;
const MAX_LOAD = 0.75;
/** Of used and deleted buckets together. */
const MAX_EFFECTIVE_LOAD = 0.93;

/** Position of the smallest size that holds `count` buckets; the last one where none does. */
function sizePosition(count: number): number {
  const position = SIZES.findIndex((size) => size >= count);
  return position < 0 ? LAST : position;
}

/** The table size for at least `count` buckets. */
export function fitSize(count: number): number {
  return SIZES[sizePosition(count)]!;
}

export function growSize(count: number): number {
  return SIZES[Math.min(sizePosition(count) + 1, LAST)]!;
}

export function shrinkSize(count: number): number {
  return SIZES[Math.max(sizePosition(count) - 1, 0)]!;
}

/** The table shrinks when it holds fewer entries. */
export function lowerLimit(count: number): number {
  return count <= SIZES[0]! ? 0 : Math.trunc(count * MIN_LOAD);
}

/** The table grows when it holds more entries. */
export function upperLimit(count: number): number {
  return count >= SIZES[LAST]! ? count : Math.trunc(count * MAX_LOAD);
}

/** The table is rebuilt where this few never-used buckets are left; at least 1, so that every search ends. */
export function minEmpty(count: number): number {
  return 1 + Math.trunc(count * (1 - MAX_EFFECTIVE_LOAD));
}

/** Capacity that takes `usable` entries without growing (Borg: usable=). */
export function capacityFor(usable: number): number {
  return Math.trunc(usable / MAX_LOAD);
}
