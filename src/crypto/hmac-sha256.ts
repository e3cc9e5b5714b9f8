/**
 * HMAC-SHA256 (RFC 2104) of many messages with one key. Most are short: node:crypto takes several times as long to set up
 * an Hmac as to hash a path or a small file.
 */
import { createHmac, createSecretKey, hash } from 'node:crypto';
import { fromBinaryString } from '../util/bytes.ts';
import type { LaneHash } from './hash-lanes.ts';
import { SHA256_STATE_BYTES, findOpenSsl, type OpenSsl } from './openssl.ts';
import { findSha256Pair, type Sha256Words } from './sha256-pair.ts';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Longer messages aren't worth a copy. */
const MAX_SHORT_BYTES = 16 * 1024;
/** V8 keeps the bytes of such an array in the heap, and moves them out of it when they are handed to C: a copy takes less. */
const MAX_TINY_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

export interface HmacSha256 extends LaneHash {
  /** Of each: the same, and faster where the processor hashes two messages side by side. */
  digests(messages: readonly Uint8Array[]): Uint8Array[];
}

/** By the fastest way there is here. Throws a RangeError for a key of more than 64 bytes. */
export function createHmacSha256(key: Uint8Array): HmacSha256 {
  const openSsl = findOpenSsl();
  return openSsl === undefined ? nodeHmacSha256(key) : openSslHmacSha256(openSsl, key);
}

/** With the hashes of both padded keys kept: each message goes on from there. */
function openSslHmacSha256(openSsl: OpenSsl, key: Uint8Array): HmacSha256 {
  const begin = (pad: number): Uint8Array => {
    const state = new Uint8Array(SHA256_STATE_BYTES);
    openSsl.sha256Init(state);
    openSsl.sha256Update(state, paddedKey(key, pad));
    return state;
  };
  const [inner, outer] = [begin(INNER_PAD), begin(OUTER_PAD)];
  const state = new Uint8Array(SHA256_STATE_BYTES);
  const result = new Uint8Array(DIGEST_BYTES);
  const tiny = new Uint8Array(MAX_TINY_BYTES);
  const finish = (innerHash: Uint8Array): Uint8Array => {
    state.set(outer);
    openSsl.sha256Update(state, innerHash);
    openSsl.sha256Final(result, state);
    return result.slice();
  };
  const digest = (message: Uint8Array): Uint8Array => {
    state.set(inner);
    let data = message;
    if (message.length <= MAX_TINY_BYTES) {
      tiny.set(message);
      data = tiny.subarray(0, message.length);
    }
    openSsl.sha256Update(state, data);
    openSsl.sha256Final(result, state);
    return finish(result);
  };
  const pair = findSha256Pair();
  if (pair === undefined) return { digest, digests: (messages) => messages.map(digest) };
  const [innerWords, outerWords] = [wordsOf(inner), wordsOf(outer)];
  return {
    digest,
    parts: { before: innerWords, beforeBytes: BLOCK_BYTES, finish },
    digests: (messages) =>
      pair.digests(pair.digests(messages, innerWords, BLOCK_BYTES), outerWords, BLOCK_BYTES),
  };
}

/** SHA256_CTX begins with them. */
function wordsOf({ buffer }: Uint8Array): Sha256Words {
  return new Uint32Array(buffer, 0, 8);
}

/** By node:crypto: two plain hashes need no set-up. */
export function nodeHmacSha256(key: Uint8Array): HmacSha256 {
  const secret = createSecretKey(key);
  // The padded key, and room for a short message.
  const inner = new Uint8Array(BLOCK_BYTES + MAX_SHORT_BYTES);
  inner.set(paddedKey(key, INNER_PAD));
  // The padded key, and room for the inner hash.
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  outer.set(paddedKey(key, OUTER_PAD));
  const digest = (message: Uint8Array): Uint8Array => {
    if (message.length > MAX_SHORT_BYTES) {
      return new Uint8Array(createHmac('sha256', secret).update(message).digest());
    }
    inner.set(message, BLOCK_BYTES);
    // As text, one char a byte: memory for a buffer would take longer than the hash.
    const innerHash = hash('sha256', inner.subarray(0, BLOCK_BYTES + message.length), 'binary');
    outer.write(innerHash, BLOCK_BYTES, 'latin1');
    return fromBinaryString(hash('sha256', outer, 'binary'));
  };
  return { digest, digests: (messages) => messages.map(digest) };
}

function paddedKey(key: Uint8Array, pad: number): Uint8Array {
  if (key.length > BLOCK_BYTES) throw new RangeError('the key of an HMAC is too long');
  return Uint8Array.from({ length: BLOCK_BYTES }, (_, index) => (key[index] ?? 0) ^ pad);
}
