import type { FileStat } from '../platform/file-stat.ts';

/** Words of a FileStat on its way between threads. */
export const STAT_WORDS = 13;
/** Stands for a birth time that is not known. */
const NO_TIME = -(2n ** 63n);
const END_OF_TIME = 2n ** 63n;

/** Whether all of it survives: times after the year 2262 don't, though they stay different from others. */
export function fitsWords({ atimeNs, mtimeNs, ctimeNs, birthtimeNs = 0n }: FileStat): boolean {
  return isTime(atimeNs) && isTime(mtimeNs) && isTime(ctimeNs) && isTime(birthtimeNs);
}

function isTime(ns: bigint): boolean {
  return ns > NO_TIME && ns < END_OF_TIME;
}

/** Writes the stat as number `index`. */
export function encodeStat(stat: FileStat, words: BigInt64Array, index: number): void {
  const at = index * STAT_WORDS;
  words[at] = stat.dev;
  words[at + 1] = stat.ino;
  words[at + 2] = BigInt(stat.mode);
  words[at + 3] = BigInt(stat.nlink);
  words[at + 4] = BigInt(stat.uid);
  words[at + 5] = BigInt(stat.gid);
  words[at + 6] = stat.rdev;
  words[at + 7] = BigInt(stat.sizeBytes);
  words[at + 8] = BigInt(stat.blocks);
  words[at + 9] = stat.atimeNs;
  words[at + 10] = stat.mtimeNs;
  words[at + 11] = stat.ctimeNs;
  words[at + 12] = stat.birthtimeNs ?? NO_TIME;
}

/** Reads the stat number `index`. */
export function decodeStat(words: BigInt64Array, index: number): FileStat {
  const at = index * STAT_WORDS;
  const stat: FileStat = {
    dev: BigInt.asUintN(64, words[at]!),
    ino: BigInt.asUintN(64, words[at + 1]!),
    mode: Number(words[at + 2]),
    nlink: Number(words[at + 3]),
    uid: Number(words[at + 4]),
    gid: Number(words[at + 5]),
    rdev: BigInt.asUintN(64, words[at + 6]!),
    sizeBytes: Number(words[at + 7]),
    blocks: Number(words[at + 8]),
    atimeNs: words[at + 9]!,
    mtimeNs: words[at + 10]!,
    ctimeNs: words[at + 11]!,
  };
  const birthtimeNs = words[at + 12]!;
  if (birthtimeNs !== NO_TIME) stat.birthtimeNs = birthtimeNs;
  return stat;
}
