/**
 * Functions of the OpenSSL that Node itself is linked with, called directly. node:crypto makes an object, and memory for
 * its result, for each message: with the small objects of a repository that takes longer than the cipher and the hash
 * (sealing 14 kB: 31 µs by node:crypto, 11 µs so).
 *
 * Where they can't be had, or give another result than node:crypto, callers have node:crypto.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

/** Bytes to set aside for SHA256_CTX, which has 112. */
export const SHA256_STATE_BYTES = 128;
const DIGEST_BYTES = 32;

export interface OpenSsl {
  sha256Init(state: Uint8Array): void;
  sha256Update(state: Uint8Array, data: Uint8Array): void;
  /** Writes 32 bytes. */
  sha256Final(digest: Uint8Array, state: Uint8Array): void;
  /** A key of 32 bytes, a counter of 16; `out` has the length of `data`, and may be `data` itself. */
  aes256Ctr(key: Uint8Array, counter: Uint8Array, data: Uint8Array, out: Uint8Array): void;
  /**
   * Takes whole blocks of up to four messages: their words so far, eight apart, and a HASH_DESC for each. Only where the
   * processor has instructions for SHA-256: others hash two messages no faster so than one after the other.
   */
  readonly sha256Pair?: (words: Uint32Array, pieces: Uint32Array) => void;
  /** Good as long as the bytes are referred to. */
  readonly addressOf?: (bytes: Uint8Array) => bigint;
}

let openSsl: OpenSsl | false | undefined;

/** The functions, or undefined where they don't work here. */
export function findOpenSsl(): OpenSsl | undefined {
  openSsl ??= bindOpenSsl() ?? false;
  return openSsl === false ? undefined : openSsl;
}

/** C takes lengths as int here; nothing that is sealed comes near it. */
const MAX_CIPHER_BYTES = 2 ** 30;

function bindOpenSsl(): OpenSsl | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const library = koffi.load(null);
    const init = library.func('int SHA256_Init(void *state)');
    const update = library.func('int SHA256_Update(void *state, const void *data, size_t size)');
    const final = library.func('int SHA256_Final(void *digest, void *state)');
    const initCipher = library.func(
      'int EVP_EncryptInit_ex(void *context, const void *cipher, void *engine, const void *key, const void *iv)',
    );
    const encrypt = library.func(
      'int EVP_EncryptUpdate(void *context, void *out, void *outSize, const void *data, int size)',
    );
    // One for the thread, as long as it lives.
    const context: unknown = library.func('void *EVP_CIPHER_CTX_new()')();
    const cipher: unknown = library.func('const void *EVP_aes_256_ctr()')();
    if (initCipher(context, cipher, null, null, null) !== 1) return undefined;
    const outSize = new Int32Array(64);
    const bound: OpenSsl = {
      sha256Init: (state) => check(init(state)),
      sha256Update: (state, data) => check(update(state, data, data.length)),
      sha256Final: (digest, state) => check(final(digest, state)),
      aes256Ctr(key, counter, data, out) {
        if (key.length !== 32 || counter.length !== 16 || out.length !== data.length) {
          throw new RangeError('a length that AES-256-CTR does not take');
        }
        if (data.length > MAX_CIPHER_BYTES) throw new RangeError(`${data.length} bytes to encrypt at once`);
        if (data.length === 0) return;
        check(initCipher(context, null, null, key, counter));
        check(encrypt(context, out, outSize, data, data.length));
        if (outSize[0] !== data.length) throw new Error('OpenSSL did not encrypt all');
      },
    };
    if (!agreesWithNode(bound)) return undefined;
    return { ...bound, ...bindPair(koffi, library) };
  } catch {
    // No such library, or another OpenSSL, without these functions.
    return undefined;
  }
}

/** In OPENSSL_info(): the processor's features, as OpenSSL sees them. */
const INFO_CPU_SETTINGS = 1008;
/** Of the second word of them (CPUID 7, EBX). */
const SHA_INSTRUCTIONS = 1n << 29n;
/** Up to four messages at once. */
const FOUR_MESSAGES = 1;

/** Nothing where OpenSSL is built without them, or for another kind of processor. */
function bindPair(
  koffi: typeof Koffi,
  library: Koffi.LibraryHandle,
): Pick<OpenSsl, 'sha256Pair' | 'addressOf'> {
  try {
    const settings: unknown = library.func('const char *OPENSSL_info(int type)')(INFO_CPU_SETTINGS);
    const [, features] = /^OPENSSL_ia32cap=[^:]*:(0x[0-9a-f]+)/i.exec(String(settings)) ?? [];
    if (features === undefined || (BigInt(features) & SHA_INSTRUCTIONS) === 0n) return {};
    const hash = library.func('void sha256_multi_block(void *words, const void *pieces, int fours)');
    return {
      sha256Pair: (words, pieces) => void hash(words, pieces, FOUR_MESSAGES),
      addressOf: (bytes) => koffi.address(bytes),
    };
  } catch {
    return {};
  }
}

function check(status: unknown): void {
  if (status !== 1) throw new Error('a call of OpenSSL failed');
}

function agreesWithNode(bound: OpenSsl): boolean {
  const data = Uint8Array.from({ length: 200 }, (_, index) => index * 7);
  const [key, counter] = [data.subarray(0, 32), data.subarray(32, 48)];
  const out = new Uint8Array(data.length);
  bound.aes256Ctr(key, counter, data, out);
  const state = new Uint8Array(SHA256_STATE_BYTES);
  const digest = new Uint8Array(DIGEST_BYTES);
  bound.sha256Init(state);
  bound.sha256Update(state, data.subarray(0, 70));
  bound.sha256Update(state, data.subarray(70));
  bound.sha256Final(digest, state);
  return (
    createCipheriv('aes-256-ctr', key, counter).update(data).equals(out) &&
    createHash('sha256').update(data).digest().equals(digest)
  );
}
