/** Small repositories made by Borg 1.4.5, one of each encryption mode: keys, their contents, and sealed objects. */
import { readFileSync } from 'node:fs';
import type { KeyMaterial } from '../../src/crypto/key-material.ts';
import { fromHex } from '../../src/util/bytes.ts';

export interface KeyVector {
  encryption: string;
  passphrase: string;
  repositoryId: string;
  /** The key blob in the repository's config, or the whole keyfile; null without a key. */
  key: string | null;
  manifest: string;
  manifestPlain: string;
  archiveId: string;
  archive: string;
  archivePlain: string;
  chunkId: string;
  chunk: string;
  /** Compressed, hence with a two-byte header. */
  chunkPayload: string;
  record?: { encKey: string; encHmacKey: string; idKey: string; chunkSeed: number; tamRequired: boolean };
}

export const vectors = JSON.parse(
  readFileSync(new URL('../vectors/keys.json', import.meta.url), 'utf8'),
) as KeyVector[];

export function vectorOf(encryption: string): KeyVector {
  const vector = vectors.find((vector) => vector.encryption === encryption);
  if (vector === undefined) throw new Error(`no vector for ${encryption}`);
  return vector;
}

/** The key material of a vector, put together without the code under test. */
export function materialOf(vector: KeyVector): KeyMaterial {
  const blake2 = vector.encryption.endsWith('-blake2');
  const encrypted = /^(?:repokey|keyfile)/.test(vector.encryption);
  return {
    typeByte: fromHex(vector.chunk)[0]!,
    cipher: encrypted ? 'aes-256-ctr' : 'none',
    mac: encrypted ? (blake2 ? 'blake2b-256' : 'hmac-sha256') : 'none',
    idHash: vector.record === undefined ? 'sha256' : blake2 ? 'blake2b-256' : 'hmac-sha256',
    encKey: fromHex(vector.record?.encKey ?? ''),
    encHmacKey: fromHex(vector.record?.encHmacKey ?? ''),
    idKey: fromHex(vector.record?.idKey ?? ''),
  };
}
