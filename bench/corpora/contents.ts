/** Bytes like those of real files, the same in every run: noise (media, archives), text, and code (programs). */
import { createCipheriv } from 'node:crypto';

export type ContentKind = 'noise' | 'text' | 'code';

/** Fills all of `into`; each call goes on where the last one ended. */
export type Filler = (into: Uint8Array) => void;

/** Numbers from 0 to below 2^32 (xorshift32), always the same for a seed. */
export function randomNumbers(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export function createFiller(kind: ContentKind, seed: number): Filler {
  switch (kind) {
    case 'noise':
      return noiseFiller(seed);
    case 'text':
      return vocabularyFiller((phrases ??= textPhrases()), seed);
    case 'code':
      return vocabularyFiller((patterns ??= codePatterns()), seed);
  }
}

/** What can't be compressed: a cipher's keystream. */
function noiseFiller(seed: number): Filler {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed >>> 0);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  let zeros = new Uint8Array(0);
  return (into) => {
    if (zeros.length < into.length) zeros = new Uint8Array(into.length);
    into.set(cipher.update(zeros.subarray(0, into.length)));
  };
}

/** Phrases or patterns, one behind the other. */
interface Vocabulary {
  readonly bytes: Uint8Array;
  /** Where each begins, and where the last one ends. */
  readonly starts: Uint32Array;
}

let phrases: Vocabulary | undefined;
let patterns: Vocabulary | undefined;

const VOCABULARY_SIZE = 12_000;
/** Words that the phrases are made of. */
const DISTINCT_WORDS = 3000;

/** Phrases: LZ4 leaves a little more than half of them, as of prose and sources. */
function textPhrases(): Vocabulary {
  const random = randomNumbers(101);
  const letters = 'eeeettaaooiinnsshhrrddllucmwfgypbvk';
  const distinct = Array.from({ length: DISTINCT_WORDS }, (_, rank) => {
    const length = 1 + (random() % 4) + (random() % (2 + Math.min(6, rank >> 6)));
    return Array.from({ length }, () => letters[random() % letters.length]).join('');
  });
  return vocabularyOf((rank) => {
    if (rank % 97 === 50) return Buffer.from('.\n    ');
    const length = 1 + (random() % 7);
    const phrase = Array.from({ length }, () => distinct[random() % DISTINCT_WORDS]).join(' ');
    return Buffer.from(`${phrase} `);
  });
}

/** Like machine code and its tables: patterns, some far more often than others, and stretches of zeros. */
function codePatterns(): Vocabulary {
  const random = randomNumbers(202);
  return vocabularyOf((rank) => {
    if (rank % 61 === 30) return new Uint8Array(8 + (random() % 24));
    return Uint8Array.from({ length: 2 + (random() % 36) }, () => random() >>> 11);
  });
}

function vocabularyOf(wordOf: (rank: number) => Uint8Array): Vocabulary {
  const all = Array.from({ length: VOCABULARY_SIZE }, (_, rank) => wordOf(rank));
  const starts = new Uint32Array(VOCABULARY_SIZE + 1);
  for (const [rank, word] of all.entries()) starts[rank + 1] = starts[rank]! + word.length;
  return { bytes: new Uint8Array(Buffer.concat(all)), starts };
}

/** Of the vocabulary at random, the first much more often than the last. */
function vocabularyFiller({ bytes, starts }: Vocabulary, seed: number): Filler {
  const random = randomNumbers(seed);
  const count = starts.length - 1;
  let from = 0;
  let end = 0;
  return (into) => {
    let at = 0;
    for (;;) {
      while (from < end && at < into.length) into[at++] = bytes[from++]!;
      if (at === into.length) return;
      const share = random() / 2 ** 32;
      const rank = Math.floor(count * share * share * share);
      from = starts[rank]!;
      end = starts[rank + 1]!;
    }
  };
}
