/**
 * Looks for bytes in the plaintexts of all objects, also across the border of two that follow each other.
 *
 * Source: Borg 1.4.5, archiver.py, do_debug_search_repo_objs.
 */
import { CommandError } from '../../errors.ts';
import { concatBytes, fromUtf8 } from '../../util/bytes.ts';
import { parseHexDigits } from './object-id.ts';
import type { StoredObject } from './stored-objects.ts';

export interface Finding {
  /** Of the object, counted from 0. */
  readonly number: number;
  readonly id: Uint8Array;
  /** The object that it starts in, where it crosses the border from that one to `id`. */
  readonly previousId: Uint8Array | undefined;
  /** How often `id` holds it; 0 where it crosses a border. */
  readonly count: number;
  /** Up to 32 bytes around the first occurrence. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

const CONTEXT_BYTES = 32;
const PROGRESS_INTERVAL = 10_000;

/** `hex:` and hex digits, or `str:` and a text. Throws a CommandError. */
export function parseSearchTerm(text: string): Uint8Array {
  try {
    const wanted = text.startsWith('hex:') ? parseHexDigits(text.slice(4)) : textOf(text);
    if (wanted.length > 0) return wanted;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new CommandError(['search term needs to be hex:123abc or str:foobar style']);
}

function textOf(text: string): Uint8Array {
  return text.startsWith('str:') && text.isWellFormed() ? fromUtf8(text.slice(4)) : new Uint8Array(0);
}

/** `onProgress` gets the number of objects done, every 10000. */
export async function* searchObjects(
  objects: AsyncIterable<StoredObject>,
  wanted: Uint8Array,
  onProgress: (count: number) => void,
): AsyncGenerator<Finding, void, undefined> {
  const reach = wanted.length - 1;
  let number = 0;
  let last: { readonly id: Uint8Array; readonly tail: Uint8Array } | undefined;
  for await (const { id, plaintext } of objects) {
    if (last !== undefined && reach > 0) {
      const border = concatBytes([last.tail.subarray(-reach), plaintext.subarray(0, reach)]);
      if (indexOf(border, wanted) >= 0) {
        const wider = concatBytes([last.tail, plaintext.subarray(0, reach + CONTEXT_BYTES)]);
        const around = contextOf(wider, wanted, indexOf(wider, wanted));
        yield { number, id, previousId: last.id, count: 0, ...around };
      }
    }
    const count = countOf(plaintext, wanted);
    if (count > 0) {
      const around = contextOf(plaintext, wanted, indexOf(plaintext, wanted));
      yield { number, id, previousId: undefined, count, ...around };
    }
    last = { id, tail: plaintext.slice(-(reach + CONTEXT_BYTES)) };
    if (++number % PROGRESS_INTERVAL === 0) onProgress(number);
  }
}

/** As Borg slices it: nothing, or too little, stands before what is found within the first 32 bytes. */
function contextOf(data: Uint8Array, wanted: Uint8Array, offset: number): Pick<Finding, 'before' | 'after'> {
  const end = offset + wanted.length;
  return {
    before: data.subarray(offset - CONTEXT_BYTES, offset),
    after: data.subarray(end, end + CONTEXT_BYTES),
  };
}

/** Occurrences that don't overlap. */
function countOf(data: Uint8Array, wanted: Uint8Array): number {
  let count = 0;
  for (let at = indexOf(data, wanted); at >= 0; at = indexOf(data, wanted, at + wanted.length)) count++;
  return count;
}

function indexOf(data: Uint8Array, wanted: Uint8Array, from = 0): number {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).indexOf(wanted, from);
}
