/** The differences of two indexes, in Borg's words. Source: Borg 1.4.5 repository.py, check. */
import { toHex } from '../../util/bytes.ts';
import type { HashIndex } from '../../util/hash-index.ts';

const NOT_FOUND = '<not found>';

export function haveSameEntries(one: HashIndex, other: HashIndex): boolean {
  if (one.size !== other.size) return false;
  for (let bucket = one.nextBucket(-1); bucket >= 0; bucket = one.nextBucket(bucket)) {
    const found = other.peekKeyOf(one, bucket);
    if (found < 0 || !isSamePlace(one, bucket, other, found)) return false;
  }
  return true;
}

/** A line for each object, in the order of the rebuilt index, then those that only the committed one has. */
export function* describeDifferences(rebuilt: HashIndex, committed: HashIndex): Generator<string> {
  for (let bucket = rebuilt.nextBucket(-1); bucket >= 0; bucket = rebuilt.nextBucket(bucket)) {
    const found = committed.findKeyOf(rebuilt, bucket);
    if (found >= 0 && isSamePlace(rebuilt, bucket, committed, found)) continue;
    const place = found < 0 ? NOT_FOUND : placeAt(committed, found);
    yield line(rebuilt.keyAt(bucket), placeAt(rebuilt, bucket), place);
  }
  for (let bucket = committed.nextBucket(-1); bucket >= 0; bucket = committed.nextBucket(bucket)) {
    if (rebuilt.findKeyOf(committed, bucket) < 0)
      yield line(committed.keyAt(bucket), NOT_FOUND, placeAt(committed, bucket));
  }
}

function isSamePlace(one: HashIndex, bucket: number, other: HashIndex, otherBucket: number): boolean {
  return (
    one.valueAt(bucket, 0) === other.valueAt(otherBucket, 0) &&
    one.valueAt(bucket, 1) === other.valueAt(otherBucket, 1)
  );
}

function placeAt(index: HashIndex, bucket: number): string {
  return `(${index.valueAt(bucket, 0)}, ${index.valueAt(bucket, 1)})`;
}

function line(key: Uint8Array, rebuilt: string, committed: string): string {
  const places = `rebuilt index: ${rebuilt.padEnd(16)} committed index: ${committed.padEnd(16)}`;
  return `ID: ${toHex(key).padEnd(64)} ${places}`;
}
