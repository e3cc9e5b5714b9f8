/**
 * Checksums of files that are read whole: `index.N` and `hints.N` in a repository (kept in `integrity.N`), `chunks` and
 * `files` in a cache (kept in its config). They guard against damage, not against attackers.
 *
 * One XXH64 runs over, in this order:
 * - the file's base name: its length as 10 characters, right-aligned, then the name
 * - the file's bytes; where a part ends, the part name's length as 10 characters, the part name, the number of
 *   bytes so far in decimal, and the digest up to there is recorded under that name
 * - at the end the part `final` in the same way
 *
 * Text form: JSON with `algorithm` ("XXH64"; "SHA512" is read too) and `digests`, from part name to lower-case hex.
 *
 * Source: Borg 1.4.5 crypto/file_integrity.py, IntegrityCheckedFile.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { FileIntegrityError } from '../errors.ts';
import { fromUtf8 } from '../util/bytes.ts';
import { Xxh64 } from '../util/xxh64.ts';

/** Bytes of a file; `name` marks the end of a part. */
export interface IntegrityPart {
  name?: string;
  bytes: Uint8Array;
}

export interface IntegrityData {
  algorithm: string;
  digests: Record<string, string>;
}

/** Hashes a file as it is written or read, from its start to its end. Needs initXxh64(). */
export class IntegrityHasher {
  readonly #hash: Xxh64 | Hash;
  readonly #algorithm: string;
  readonly #digests: Record<string, string> = {};
  #length = 0;

  constructor(fileName: string, algorithm: 'XXH64' | 'SHA512' = 'XXH64') {
    this.#algorithm = algorithm;
    this.#hash = algorithm === 'XXH64' ? new Xxh64() : createHash('sha512');
    this.#hashName(fileName.slice(fileName.lastIndexOf('/') + 1));
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#length += bytes.length;
  }

  /** Ends a part and records its digest. */
  endPart(name: string): void {
    this.#hashName(name);
    this.#hash.update(fromUtf8(String(this.#length)));
    this.#digests[name] =
      this.#hash instanceof Xxh64 ? this.#hash.digestHex() : this.#hash.copy().digest('hex');
  }

  finish(): IntegrityData {
    this.endPart('final');
    return { algorithm: this.#algorithm, digests: this.#digests };
  }

  #hashName(name: string): void {
    this.#hash.update(fromUtf8(String(Array.from(name).length).padStart(10) + name));
  }
}

export function encodeIntegrityData(data: IntegrityData): string {
  const digests = Object.entries(data.digests).map(
    ([name, hex]) => `${JSON.stringify(name)}: ${JSON.stringify(hex)}`,
  );
  return `{"algorithm": ${JSON.stringify(data.algorithm)}, "digests": {${digests.join(', ')}}}`;
}

/** Throws a FileIntegrityError about `path` where the text can't be understood. */
export function decodeIntegrityData(text: string, path: string): IntegrityData {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new FileIntegrityError([path], error);
  }
  if (!isRecord(data) || typeof data['algorithm'] !== 'string') throw new FileIntegrityError([path]);
  const { algorithm, digests } = data;
  if (!isSupported(algorithm)) return { algorithm, digests: {} };
  if (!isRecord(digests) || !('final' in digests)) throw new FileIntegrityError([path]);
  if (Object.values(digests).some((hex) => typeof hex !== 'string')) throw new FileIntegrityError([path]);
  return { algorithm, digests: digests as Record<string, string> };
}

/** The integrity data of a file with these parts, as text. The base name of `fileName` counts. */
export function computeIntegrityData(fileName: string, parts: readonly IntegrityPart[]): string {
  return encodeIntegrityData(hashParts(new IntegrityHasher(fileName), parts));
}

/**
 * Checks a file's parts against its integrity data; throws a FileIntegrityError about `path` on a difference. False
 * where the algorithm is unknown, so that nothing was checked. `fileName` is given where the path ends in another name.
 */
export function verifyIntegrityData(
  text: string,
  path: string,
  parts: readonly IntegrityPart[],
  fileName: string = path,
): boolean {
  const expected = decodeIntegrityData(text, path);
  if (!isSupported(expected.algorithm)) return false;
  const found = hashParts(new IntegrityHasher(fileName, expected.algorithm), parts);
  for (const [name, hex] of Object.entries(found.digests)) {
    if (expected.digests[name] !== hex) throw new FileIntegrityError([path]);
  }
  return true;
}

/**
 * Checks a file's first part alone, before what it says is believed. Throws a FileIntegrityError about `path` on a
 * difference.
 */
export function verifyFirstPart(text: string, path: string, name: string, bytes: Uint8Array): void {
  const expected = decodeIntegrityData(text, path);
  if (!isSupported(expected.algorithm)) return;
  const hasher = new IntegrityHasher(path, expected.algorithm);
  hasher.update(bytes);
  hasher.endPart(name);
  const { digests } = hasher.finish();
  if (digests[name] !== expected.digests[name]) throw new FileIntegrityError([path]);
}

function hashParts(hasher: IntegrityHasher, parts: readonly IntegrityPart[]): IntegrityData {
  for (const part of parts) {
    hasher.update(part.bytes);
    if (part.name !== undefined) hasher.endPart(part.name);
  }
  return hasher.finish();
}

function isSupported(algorithm: unknown): algorithm is 'XXH64' | 'SHA512' {
  return algorithm === 'XXH64' || algorithm === 'SHA512';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
