/**
 * HMAC-SHA256 (RFC 2104) of many messages with one key. Most are short: node:crypto takes several times as long to set up
 * an Hmac as to hash a path or a small file, and two plain hashes need no set-up.
 */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import { fromBinaryString } from '../util/bytes.ts';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Longer messages aren't worth a copy. */
const MAX_SHORT_BYTES = 16 * 1024;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

export class HmacSha256 {
  readonly #key: KeyObject;
  /** The padded key, and room for a short message. */
  readonly #inner = new Uint8Array(BLOCK_BYTES + MAX_SHORT_BYTES);
  /** The padded key, and room for the inner hash. */
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);

  /** Throws a RangeError for a key of more than 64 bytes. */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) throw new RangeError('the key of an HMAC is too long');
    this.#key = createSecretKey(key);
    for (let i = 0; i < BLOCK_BYTES; i++) {
      this.#inner[i] = (key[i] ?? 0) ^ INNER_PAD;
      this.#outer[i] = (key[i] ?? 0) ^ OUTER_PAD;
    }
  }

  /** 32 bytes. */
  digest(message: Uint8Array): Uint8Array {
    if (message.length > MAX_SHORT_BYTES) {
      return new Uint8Array(createHmac('sha256', this.#key).update(message).digest());
    }
    this.#inner.set(message, BLOCK_BYTES);
    // As text, one char a byte: memory for a buffer would take longer than the hash.
    const inner = hash('sha256', this.#inner.subarray(0, BLOCK_BYTES + message.length), 'binary');
    this.#outer.write(inner, BLOCK_BYTES, 'latin1');
    return fromBinaryString(hash('sha256', this.#outer, 'binary'));
  }
}
