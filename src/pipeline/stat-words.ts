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

/** Reads the stat number `index` of words that don't change any more. */
export function decodeStat(words: BigInt64Array, index: number): FileStat {
  return new StatInWords(words, index * STAT_WORDS);
}

/** A stat where it lies: nobody asks for all of it, and each 64-bit number would take memory of its own. */
class StatInWords implements FileStat {
  readonly #words: BigInt64Array;
  readonly #at: number;

  constructor(words: BigInt64Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  get dev(): bigint {
    return BigInt.asUintN(64, this.#words[this.#at]!);
  }
  get ino(): bigint {
    return BigInt.asUintN(64, this.#words[this.#at + 1]!);
  }
  get mode(): number {
    return Number(this.#words[this.#at + 2]);
  }
  get nlink(): number {
    return Number(this.#words[this.#at + 3]);
  }
  get uid(): number {
    return Number(this.#words[this.#at + 4]);
  }
  get gid(): number {
    return Number(this.#words[this.#at + 5]);
  }
  get rdev(): bigint {
    return BigInt.asUintN(64, this.#words[this.#at + 6]!);
  }
  get sizeBytes(): number {
    return Number(this.#words[this.#at + 7]);
  }
  get blocks(): number {
    return Number(this.#words[this.#at + 8]);
  }
  get atimeNs(): bigint {
    return this.#words[this.#at + 9]!;
  }
  get mtimeNs(): bigint {
    return this.#words[this.#at + 10]!;
  }
  get ctimeNs(): bigint {
    return this.#words[this.#at + 11]!;
  }
  get birthtimeNs(): bigint | undefined {
    const timeNs = this.#words[this.#at + 12]!;
    return timeNs === NO_TIME ? undefined : timeNs;
  }
}
