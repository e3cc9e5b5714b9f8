/** The differences of two indexes, in Borg's words. Source: Borg 1.4.5 repository.py, check. */
import { toHex } from '../../util/bytes.ts';
import type { HashIndex } from '../../util/hash-index.ts';

const NOT_FOUND = '<not found>';

export function haveSameEntries(one: HashIndex, other: HashIndex): boolean {
  return one.size === other.size && describeDifferences(one, other).next().done === true;
}

/** A line for each object, in the order of the rebuilt index, then those that only the committed one has. */
export function* describeDifferences(rebuilt: HashIndex, committed: HashIndex): Generator<string> {
  for (const [key, bucket] of rebuilt.entries()) {
    const value = placeAt(rebuilt, bucket);
    const found = placeOf(committed, key);
    if (found !== value) yield line(key, value, found);
  }
  for (const [key, bucket] of committed.entries()) {
    if (!rebuilt.has(key)) yield line(key, NOT_FOUND, placeAt(committed, bucket));
  }
}

function placeOf(index: HashIndex, key: Uint8Array): string {
  const bucket = index.find(key);
  return bucket < 0 ? NOT_FOUND : placeAt(index, bucket);
}

function placeAt(index: HashIndex, bucket: number): string {
  return `(${index.valueAt(bucket, 0)}, ${index.valueAt(bucket, 1)})`;
}

function line(key: Uint8Array, rebuilt: string, committed: string): string {
  const places = `rebuilt index: ${rebuilt.padEnd(16)} committed index: ${committed.padEnd(16)}`;
  return `ID: ${toHex(key).padEnd(64)} ${places}`;
}
