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

type PairFunctions = Required<Pick<OpenSsl, 'sha256Pair' | 'addressOf'>>;

let pair: Sha256Pair | false | undefined;

/** Undefined where two messages side by side take as long as one after the other, or can't be hashed so. */
export function findSha256Pair(): Sha256Pair | undefined {
  pair ??= makePair() ?? false;
  return pair === false ? undefined : pair;
}

function makePair(): Sha256Pair | undefined {
  const { sha256Pair, addressOf } = findOpenSsl() ?? {};
  if (sha256Pair === undefined || addressOf === undefined) return undefined;
  const made = new Sha256Pair({ sha256Pair, addressOf });
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
   */
  digests(
    messages: readonly Uint8Array[],
    before: Sha256Words = SHA256_FIRST_WORDS,
    beforeBytes = 0,
  ): Uint8Array[] {
    const results: Uint8Array[] = [];
    const [first, second] = this.#lanes;
    const order = orderOf(messages);
    let next = 0;
    const startNext = (lane: Lane): void => {
      const number = order === undefined ? next : (order[next] ?? next);
      next += 1;
      lane.start(messages[number], number, before, beforeBytes);
    };
    startNext(first);
    startNext(second);
    for (;;) {
      const blocks = Math.min(first.blocks || second.blocks, second.blocks || first.blocks);
      if (blocks === 0) return results;
      first.setPiece(blocks);
      second.setPiece(blocks);
      this.#openSsl.sha256Pair(this.#words, this.#pieces);
      for (const lane of this.#lanes) {
        if (lane.blocks === 0 || !lane.isDoneAfter(blocks)) continue;
        results[lane.number] = lane.digest();
        startNext(lane);
      }
    }
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
  /** Of the message. */
  number = 0;
  /** Left until the end of the message, or until its last part: 0 where there is no message. */
  blocks = 0;
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

  start(message: Uint8Array | undefined, number: number, before: Sha256Words, beforeBytes: number): void {
    this.blocks = 0;
    if (message === undefined) return;
    if (message.length > MAX_MESSAGE_BYTES) throw new RangeError(`${message.length} bytes to hash at once`);
    this.number = number;
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

  /** What OpenSSL is to hash of this message. */
  setPiece(blocks: number): void {
    this.#piece[0] = this.#address % 2 ** 32;
    this.#piece[1] = this.#address / 2 ** 32;
    this.#piece[2] = this.blocks === 0 ? 0 : blocks;
  }

  /** Whether all of the message is hashed when these blocks are. */
  isDoneAfter(blocks: number): boolean {
    this.blocks -= blocks;
    this.#address += blocks * BLOCK_BYTES;
    if (this.blocks > 0) return false;
    if (this.#isAtEnd) return true;
    const { length } = this.#message;
    this.#startEnd(this.#message.subarray(length - (length % BLOCK_BYTES)));
    return false;
  }

  /** Of a message that is done. */
  digest(): Uint8Array {
    this.#message = NO_MESSAGE;
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
