/** Hashes of a file's contents that `list` offers, by Python's names for them. */
import { createHash } from 'node:crypto';
import { initXxh64, Xxh64 } from '../../util/xxh64.ts';

/** Python's name → OpenSSL's. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['blake2b', 'blake2b512'],
  ['blake2s', 'blake2s256'],
  ['md5', 'md5'],
  ['sha1', 'sha1'],
  ['sha224', 'sha224'],
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha3_224', 'sha3-224'],
  ['sha3_256', 'sha3-256'],
  ['sha3_384', 'sha3-384'],
  ['sha3_512', 'sha3-512'],
  ['sha512', 'sha512'],
]);

/** In the order in which the help lists them. */
export const HASH_KEYS: readonly string[] = [...ALGORITHMS.keys(), 'xxh64'];

/** Hex digest of all that `contents` gives, by the hash of that key. */
export async function hashContents(key: string, contents: AsyncIterable<Uint8Array>): Promise<string> {
  const algorithm = ALGORITHMS.get(key);
  if (algorithm === undefined) return await xxh64Contents(contents);
  const hash = createHash(algorithm);
  for await (const data of contents) hash.update(data);
  return hash.digest('hex');
}

async function xxh64Contents(contents: AsyncIterable<Uint8Array>): Promise<string> {
  await initXxh64();
  const hash = new Xxh64();
  for await (const data of contents) hash.update(data);
  return hash.digestHex();
}
