/**
 * `hints.N`: what the repository knows of its segments after transaction N, one msgpack map:
 *
 *     version            2 (1: no storage_quota_use and shadow_index, and `compact` a list of segments)
 *     segments           {segment: number of live objects in it}
 *     compact            {segment: bytes in it that compaction can free}
 *     storage_quota_use  bytes of all objects, live or not yet compacted, with their headers
 *     shadow_index       {key: [segments with a PUT that a later DELETE or PUT made void]}
 *
 * Errors: HintsError, for anything that is not such a map.
 * Source: Borg 1.4.5 repository.py, write_index and prepare_txn.
 */
import { decode } from '../msgpack/decode.ts';
import { encode } from '../msgpack/encode.ts';
import type { MsgpackKey, MsgpackValue } from '../msgpack/value.ts';

export interface Hints {
  /** Live objects by segment. */
  readonly segments: Map<number, number>;
  /** Freeable bytes by segment. */
  readonly compact: Map<number, number>;
  storageQuotaUseBytes: number;
  /** Segments with void PUTs by key, as a binary string. Without the entry, a DELETE may not be dropped. */
  readonly shadowIndex: Map<string, number[]>;
}

/** Version 1: `sparse` segments, whose freeable bytes have to be counted anew. */
export interface OldHints {
  readonly version: 1;
  readonly segments: Map<number, number>;
  readonly sparse: readonly number[];
}

export class HintsError extends Error {
  override readonly name = 'HintsError';
}

export function emptyHints(): Hints {
  return { segments: new Map(), compact: new Map(), storageQuotaUseBytes: 0, shadowIndex: new Map() };
}

export function encodeHints(hints: Hints): Uint8Array {
  return encode({
    version: 2,
    segments: hints.segments,
    compact: hints.compact,
    storage_quota_use: hints.storageQuotaUseBytes,
    shadow_index: hints.shadowIndex,
  });
}

export function decodeHints(bytes: Uint8Array): (Hints & { readonly version: 2 }) | OldHints {
  let value: MsgpackValue;
  try {
    value = decode(bytes);
  } catch (error) {
    throw new HintsError(`not readable as msgpack: ${(error as Error).message}`, { cause: error });
  }
  if (!(value instanceof Map)) throw new HintsError('not a map');
  const version = value.get('version');
  const segments = countsBySegment(value.get('segments'), 'segments');
  if (version === 1) {
    return { version, segments, sparse: segmentList(keysOrItems(value.get('compact')), 'compact') };
  }
  if (version !== 2) throw new HintsError(`unknown version ${JSON.stringify(version)}`);
  const quotaUse = value.get('storage_quota_use') ?? 0;
  if (!Number.isSafeInteger(quotaUse)) throw new HintsError('storage_quota_use is not a number');
  return {
    version,
    segments,
    compact: countsBySegment(value.get('compact'), 'compact'),
    storageQuotaUseBytes: quotaUse as number,
    shadowIndex: shadowIndex(value.get('shadow_index') ?? new Map()),
  };
}

/** Counts may be negative: Borg's own accounting goes below zero where a repository was damaged. */
function countsBySegment(value: MsgpackValue | undefined, name: string): Map<number, number> {
  if (!(value instanceof Map)) throw new HintsError(`${name} is not a map`);
  for (const [segment, count] of value) {
    if (!isSegment(segment) || !Number.isSafeInteger(count))
      throw new HintsError(`${name} holds a non-number`);
  }
  return value as Map<number, number>;
}

function shadowIndex(value: MsgpackValue): Map<string, number[]> {
  if (!(value instanceof Map)) throw new HintsError('shadow_index is not a map');
  for (const [key, segments] of value) {
    if (typeof key !== 'string' || key.length !== 32) throw new HintsError('shadow_index holds a wrong key');
    segmentList(segments, 'shadow_index');
  }
  return value as Map<string, number[]>;
}

function segmentList(value: MsgpackValue | undefined, name: string): number[] {
  if (!Array.isArray(value) || !value.every(isSegment))
    throw new HintsError(`${name} holds no list of segments`);
  return value;
}

function keysOrItems(value: MsgpackValue | undefined): MsgpackValue | undefined {
  return value instanceof Map ? [...value.keys()] : value;
}

function isSegment(value: MsgpackKey | MsgpackValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 0xffff_ffff;
}
