/** What the hot path needs of a key: plain data, so that it can be handed to worker threads. */

/** How a sealed object is authenticated: not at all, or by a MAC over nonce and ciphertext. */
export type MacKind = 'none' | 'hmac-sha256' | 'blake2b-256';

/** How the id of a chunk is made from its plaintext. */
export type IdHashKind = 'sha256' | 'hmac-sha256' | 'blake2b-256';

export interface KeyMaterial {
  /** First byte of every envelope. */
  typeByte: number;
  cipher: 'none' | 'aes-256-ctr';
  mac: MacKind;
  idHash: IdHashKind;
  /** 32 bytes; empty for plaintext. */
  encKey: Uint8Array;
  /** 32 bytes for HMAC-SHA256, 128 for BLAKE2b (64 random bytes, then zeros); empty for plaintext. */
  encHmacKey: Uint8Array;
  /** 32 bytes for HMAC-SHA256, 128 for BLAKE2b (64 random bytes, then zeros); empty for plaintext. */
  idKey: Uint8Array;
}
