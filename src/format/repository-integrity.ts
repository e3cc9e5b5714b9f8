/**
 * `integrity.N`: the checksums of hints.N and index.N, one msgpack map:
 *
 *     version  2
 *     hints    integrity data of hints.N, JSON text (see integrity-data.ts)
 *     index    integrity data of index.N, likewise
 *
 * Errors: MsgpackError, or RepositoryIntegrityError for another shape.
 * Source: Borg 1.4.5 repository.py, write_index and _read_integrity.
 */
import { decode } from '../msgpack/decode.ts';
import { encode } from '../msgpack/encode.ts';
import { fromUtf8, toUtf8Lossy } from '../util/bytes.ts';

export interface RepositoryIntegrity {
  readonly hints: string;
  readonly index: string;
}

export class RepositoryIntegrityError extends Error {
  override readonly name = 'RepositoryIntegrityError';
}

export function encodeRepositoryIntegrity(integrity: RepositoryIntegrity): Uint8Array {
  return encode({ version: 2, hints: fromUtf8(integrity.hints), index: fromUtf8(integrity.index) });
}

/** Gives the version alone where it is one that we don't know: then nothing can be verified. */
export function decodeRepositoryIntegrity(
  bytes: Uint8Array,
): RepositoryIntegrity | { readonly unknownVersion: unknown } {
  const value = decode(bytes);
  if (!(value instanceof Map)) throw new RepositoryIntegrityError('not a map');
  const version = value.get('version');
  if (version !== 2) return { unknownVersion: version };
  const hints = value.get('hints');
  const index = value.get('index');
  if (!(hints instanceof Uint8Array) || !(index instanceof Uint8Array)) {
    throw new RepositoryIntegrityError('hints or index is missing');
  }
  return { hints: toUtf8Lossy(hints), index: toUtf8Lossy(index) };
}
