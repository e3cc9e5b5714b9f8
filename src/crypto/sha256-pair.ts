/**
 * SHA-256 of many messages, two side by side. Each step of a hash waits for the one before, so that a processor with
 * instructions for SHA-256 has time for a second message: two take hardly longer than one.
 */
import { createHash } from 'node:crypto';
import { findOpenSsl, type OpenSsl } from './openssl.ts';

/** 256 bits as eight words, of the whole blocks that a hash has taken so far. */
export type Sha256Words = Uint32Array;

/** Before the first block. Source: FIPS 180-4, 5.3.3. */
export const SHA256_FIRST_WORDS: Sha256Words = Uint32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

const BLOCK_BYTES = 64;
const WORDS = 8;
const DIGEST_BYTES = 4 * WORDS;
/** OpenSSL has room for eight messages: a word of all, then the next word of all. */
const WORD_STRIDE = 8;
/** What OpenSSL's HASH_DESC has: the address of the blocks, in two, how many there are, and nothing. */
const PIECE_WORDS = 4;
/** Pieces that OpenSSL looks at; only two are used. */
const PIECES = 4;
/** The end of a message is copied to where its padding has room; a short message as a whole. */
const MAX_END_BYTES = 4096;
/** The byte that begins the padding, and the length in bits. */
const LEAST_PADDING_BYTES = 9;
const MAX_MESSAGE_BYTES = 2 ** 30;
const NO_MESSAGE = new Uint8Array(0);
/** The words of the messages are aligned so. */
const ALIGNMENT_BYTES = 32;

export type LaneNumber = 0 | 1;

type PairFunctions = Required<Pick<OpenSsl, 'sha256Pair' | 'addressOf'>>;

let pair: Sha256Pair | false | undefined;

/** For digests(). Undefined where two messages side by side take as long as one after the other, or can't be hashed so. */
export function findSha256Pair(): Sha256Pair | undefined {
  pair ??= checkedPair() ?? false;
  return pair === false ? undefined : pair;
}

/** One of its own, for who starts messages; undefined where there is none. */
export function createSha256Pair(): Sha256Pair | undefined {
  return findSha256Pair() && makePair();
}

function makePair(): Sha256Pair | undefined {
  const { sha256Pair, addressOf } = findOpenSsl() ?? {};
  if (sha256Pair === undefined || addressOf === undefined) return undefined;
  return new Sha256Pair({ sha256Pair, addressOf });
}

function checkedPair(): Sha256Pair | undefined {
  const made = makePair();
  if (made === undefined) return undefined;
  const data = Uint8Array.from({ length: MAX_END_BYTES + 1500 }, (_, index) => index * 7);
  const messages = [data, data.subarray(0, 70), data.subarray(3)];
  const digests = made.digests(messages);
  const agrees = messages.every((message, number) =>
    createHash('sha256').update(message).digest().equals(digests[number]!),
  );
  return agrees ? made : undefined;
}

export class Sha256Pair {
  readonly #openSsl: PairFunctions;
  readonly #words: Uint32Array;
  readonly #pieces = new Uint32Array(PIECES * PIECE_WORDS);
  readonly #lanes: readonly [Lane, Lane];

  constructor(openSsl: PairFunctions) {
    this.#openSsl = openSsl;
    const memory = new Uint8Array(4 * WORDS * WORD_STRIDE + ALIGNMENT_BYTES);
    const misaligned = Number(openSsl.addressOf(memory)) % ALIGNMENT_BYTES;
    this.#words = new Uint32Array(memory.buffer, ALIGNMENT_BYTES - misaligned, WORDS * WORD_STRIDE);
    this.#lanes = [0, 1].map(
      (number) => new Lane(openSsl, this.#words.subarray(number), this.#piece(number)),
    ) as [Lane, Lane];
  }

  /**
   * A digest of 32 bytes for each message, which comes after `beforeBytes` (whole blocks) whose hash so far is `before`.
   * What was begun in a lane is given up.
   */
  digests(
    messages: readonly Uint8Array[],
    before: Sha256Words = SHA256_FIRST_WORDS,
    beforeBytes = 0,
  ): Uint8Array[] {
    this.clear();
    const results: Uint8Array[] = [];
    const numbers = [0, 0];
    const order = orderOf(messages);
    let next = 0;
    const startNext = (lane: LaneNumber): void => {
      if (next === messages.length) return;
      const number = order === undefined ? next : order[next]!;
      next += 1;
      numbers[lane] = number;
      this.start(lane, messages[number]!, before, beforeBytes);
    };
    startNext(0);
    startNext(1);
    for (let left = messages.length; left > 0; left--) {
      const lane = this.finishOne();
      results[numbers[lane]!] = this.digest(lane);
      startNext(lane);
    }
    return results;
  }

  /** Begins a message in a lane that has none; its memory must stay as it is. */
  start(lane: LaneNumber, message: Uint8Array, before: Sha256Words, beforeBytes: number): void {
    this.#lanes[lane].start(message, before, beforeBytes);
  }

  /** Hashes on until a message is done, and says in which lane. There must be one. */
  finishOne(): LaneNumber {
    const [first, second] = this.#lanes;
    for (;;) {
      if (first.isDone) return 0;
      if (second.isDone) return 1;
      const blocks = Math.min(first.blocks || second.blocks, second.blocks || first.blocks);
      if (blocks === 0) throw new RangeError('there is no message to hash');
      first.setPiece(blocks);
      second.setPiece(blocks);
      this.#openSsl.sha256Pair(this.#words, this.#pieces);
      first.advance(blocks);
      second.advance(blocks);
    }
  }

  /** Of the message that is done in this lane, which has none from now on. */
  digest(lane: LaneNumber): Uint8Array {
    return this.#lanes[lane].takeDigest();
  }

  /** Gives up the messages. */
  clear(): void {
    for (const lane of this.#lanes) lane.clear();
  }

  #piece(number: number): Uint32Array {
    return this.#pieces.subarray(number * PIECE_WORDS, (number + 1) * PIECE_WORDS);
  }
}

/** The largest first, where some are large: the last ones may have nothing beside them. */
function orderOf(messages: readonly Uint8Array[]): number[] | undefined {
  if (messages.length < 3 || !messages.some(({ length }) => length > MAX_END_BYTES)) return undefined;
  return Array.from(messages.keys()).toSorted((a, b) => messages[b]!.length - messages[a]!.length);
}

/** One of the two messages at work. */
class Lane {
  /** Left until the end of the message, or until its last part: 0 where there is no message, or it is done. */
  blocks = 0;
  isDone = false;
  readonly #addressOf: PairFunctions['addressOf'];
  readonly #words: Uint32Array;
  readonly #piece: Uint32Array;
  readonly #end = new Uint8Array(MAX_END_BYTES + BLOCK_BYTES);
  readonly #endView = new DataView(this.#end.buffer);
  readonly #endAddress: number;
  #address = 0;
  #message: Uint8Array = NO_MESSAGE;
  #lengthBytes = 0;
  #isAtEnd = false;

  constructor({ addressOf }: PairFunctions, words: Uint32Array, piece: Uint32Array) {
    this.#addressOf = addressOf;
    this.#words = words;
    this.#piece = piece;
    this.#endAddress = Number(addressOf(this.#end));
  }

  start(message: Uint8Array, before: Sha256Words, beforeBytes: number): void {
    this.clear();
    if (message.length > MAX_MESSAGE_BYTES) throw new RangeError(`${message.length} bytes to hash at once`);
    this.#message = message;
    this.#lengthBytes = beforeBytes + message.length;
    for (let word = 0; word < WORDS; word++) this.#words[word * WORD_STRIDE] = before[word]!;
    if (message.length <= MAX_END_BYTES) {
      this.#startEnd(message);
      return;
    }
    this.#isAtEnd = false;
    this.#address = Number(this.#addressOf(message));
    this.blocks = Math.floor(message.length / BLOCK_BYTES);
  }

  clear(): void {
    this.blocks = 0;
    this.isDone = false;
    this.#message = NO_MESSAGE;
  }

  /** What OpenSSL is to hash of this message. */
  setPiece(blocks: number): void {
    this.#piece[0] = this.#address % 2 ** 32;
    this.#piece[1] = this.#address / 2 ** 32;
    this.#piece[2] = this.blocks === 0 ? 0 : blocks;
  }

  /** These blocks are hashed, if there is a message. */
  advance(blocks: number): void {
    if (this.blocks === 0) return;
    this.blocks -= blocks;
    this.#address += blocks * BLOCK_BYTES;
    if (this.blocks > 0) return;
    if (this.#isAtEnd) {
      this.isDone = true;
      return;
    }
    const { length } = this.#message;
    this.#startEnd(this.#message.subarray(length - (length % BLOCK_BYTES)));
  }

  takeDigest(): Uint8Array {
    if (!this.isDone) throw new RangeError('the message is not hashed yet');
    this.clear();
    const digest = new Uint8Array(DIGEST_BYTES);
    for (let word = 0, at = 0; word < WORDS; word++) {
      const value = this.#words[word * WORD_STRIDE]!;
      digest[at++] = value >>> 24;
      digest[at++] = value >>> 16;
      digest[at++] = value >>> 8;
      digest[at++] = value;
    }
    return digest;
  }

  /** Source: FIPS 180-4, 5.1.1. */
  #startEnd(rest: Uint8Array): void {
    const size = Math.ceil((rest.length + LEAST_PADDING_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
    this.#end.set(rest);
    this.#end.fill(0, rest.length, size);
    this.#end[rest.length] = 0x80;
    this.#endView.setUint32(size - 8, this.#lengthBytes / 2 ** 29);
    this.#endView.setUint32(size - 4, this.#lengthBytes * 8);
    this.#isAtEnd = true;
    this.#address = this.#endAddress;
    this.blocks = size / BLOCK_BYTES;
  }
}
