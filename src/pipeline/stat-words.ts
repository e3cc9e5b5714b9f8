import type { FileStat } from '../platform/file-stat.ts';

/** Words of a FileStat on its way between threads. */
export const STAT_WORDS = 13;
/** Stands for a birth time that is not known. */
const NO_TIME = -(2n ** 63n);

export function encodeStat(stat: FileStat): bigint[] {
  return [
    stat.dev,
    stat.ino,
    BigInt(stat.mode),
    BigInt(stat.nlink),
    BigInt(stat.uid),
    BigInt(stat.gid),
    stat.rdev,
    BigInt(stat.sizeBytes),
    BigInt(stat.blocks),
    stat.atimeNs,
    stat.mtimeNs,
    stat.ctimeNs,
    stat.birthtimeNs ?? NO_TIME,
  ];
}

/** Reads the stat number `index`. */
export function decodeStat(words: BigInt64Array, index: number): FileStat {
  const at = (word: number): bigint => words[index * STAT_WORDS + word] ?? 0n;
  const birthtimeNs = at(12);
  return {
    dev: BigInt.asUintN(64, at(0)),
    ino: BigInt.asUintN(64, at(1)),
    mode: Number(at(2)),
    nlink: Number(at(3)),
    uid: Number(at(4)),
    gid: Number(at(5)),
    rdev: BigInt.asUintN(64, at(6)),
    sizeBytes: Number(at(7)),
    blocks: Number(at(8)),
    atimeNs: at(9),
    mtimeNs: at(10),
    ctimeNs: at(11),
    ...(birthtimeNs === NO_TIME ? {} : { birthtimeNs }),
  };
}
