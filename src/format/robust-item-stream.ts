/**
 * Reading a damaged item stream: packed items one after the other, cut into chunks anywhere, some of which are lost.
 *
 * Source: Borg 1.4.5 archive.py, RobustUnpacker, valid_msgpacked_dict(), ArchiveChecker.rebuild_refcounts().
 */
import { encode } from '../msgpack/encode.ts';
import { Unpacker } from '../msgpack/unpacker.ts';
import { MsgpackError } from '../msgpack/value.ts';
import type { MsgpackMap, MsgpackValue } from '../msgpack/value.ts';
import { concatBytes } from '../util/bytes.ts';
import { ItemReader } from './item-reader.ts';
import { ItemUnpacker, OtherValue } from './item-unpacker.ts';
import { type Item, ITEM_KEYS, REQUIRED_ITEM_KEYS } from './item.ts';

/** An item is a map of arrays of arrays; far beyond that there is none. */
const SEARCH_LIMITS = { maxDepth: 16 };

/** Whether the bytes look like a packed map whose first key is one of these. */
export function looksLikeMap(bytes: Uint8Array, packedKeys: readonly Uint8Array[]): boolean {
  const first = bytes[0] ?? 0;
  // A map of up to 15 entries, or of up to 65535.
  const offset = (first & 0xf0) === 0x80 ? 1 : first === 0xde ? 3 : 0;
  if (offset === 0) return false;
  return packedKeys.some((key) => key.every((byte, i) => bytes[offset + i] === byte));
}

/** The keys as a packed map has them, for looksLikeMap(). */
export function packKeys(keys: Iterable<string>): Uint8Array[] {
  return Array.from(keys, (key) => encode(key));
}

/** Undefined for an item, else what is wrong with the value, in Borg's words. */
export function itemProblem(value: MsgpackValue, itemKeys: ReadonlySet<string>): string | undefined {
  if (!(value instanceof Map)) return 'not a dictionary';
  const missing = REQUIRED_ITEM_KEYS.filter((key) => !value.has(key));
  if (missing.length > 0) return `missing required keys: ${missing.toSorted().join(', ')}`;
  // A key without meaning that the earliest versions wrote.
  const invalid = [...value.keys()].map(String).filter((key) => key !== 'acl' && !itemKeys.has(key));
  return invalid.length > 0 ? `invalid keys: ${invalid.toSorted().join(', ')}` : undefined;
}

/**
 * Reads values from a damaged item stream. After resync(), it skips bytes until something unpacks that has a path, as
 * needed after a chunk that is lost.
 */
export class RobustItemStream {
  readonly #packedKeys: readonly Uint8Array[];
  readonly #reader: ItemReader;
  #unpacker: ItemUnpacker;
  /** Bytes since resync(), while looking for the next item. */
  #searched: Uint8Array | undefined;

  constructor(itemKeys: Iterable<string> = ITEM_KEYS) {
    const keys = [...itemKeys];
    this.#packedKeys = packKeys(keys);
    this.#reader = new ItemReader(REQUIRED_ITEM_KEYS, keys);
    this.#unpacker = new ItemUnpacker({}, this.#reader);
  }

  feed(chunk: Uint8Array): void {
    if (this.#searched === undefined) this.#unpacker.feed(chunk);
    else this.#searched = concatBytes([this.#searched, chunk]);
  }

  /** Forgets what is incomplete, and looks for an item in what is fed from now on. */
  resync(): void {
    this.#searched = new Uint8Array(0);
  }

  /** Whether what was fed ends within a value; after resync(), nothing is said about bytes that are still searched. */
  get isWithinValue(): boolean {
    return this.#searched === undefined && !this.#unpacker.idle;
  }

  /**
   * The next item, or undefined until more is fed. Throws a MsgpackError on damage: resync() then. Every value is
   * given, also one that is no item; see itemProblem(). The bytes that were fed may change when there is nothing more.
   */
  next(): Item | OtherValue | undefined {
    return this.#searched === undefined ? this.#unpacker.nextAny() : this.#search(this.#searched);
  }

  #search(bytes: Uint8Array): OtherValue | undefined {
    for (let offset = 0; offset < bytes.length; offset++) {
      const rest = bytes.subarray(offset);
      if (!looksLikeMap(rest, this.#packedKeys)) continue;
      // Not copied, and not followed far: a chunk can hold a million places that look like an item.
      const unpacker = new Unpacker(SEARCH_LIMITS);
      unpacker.wrap(rest);
      const value = unpackOne(unpacker);
      if (value instanceof Map && isPlausible(value) && isBeforeMap(rest, unpacker.pendingBytes)) {
        this.#unpacker = new ItemUnpacker(SEARCH_LIMITS, this.#reader);
        this.#unpacker.feed(rest.subarray(rest.length - unpacker.pendingBytes));
        this.#searched = undefined;
        return new OtherValue(value);
      }
    }
    return undefined;
  }
}

const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;

/**
 * The last byte of a time may look like a map of the keys behind it. That would be a file without contents, which no
 * backup makes.
 */
function isPlausible(item: MsgpackMap): boolean {
  if (!item.has('path')) return false;
  const mode = item.get('mode');
  const isFile = typeof mode === 'number' && (mode & FILE_TYPE) === REGULAR;
  return !isFile || item.has('chunks') || item.has('source');
}

/** Whether what follows, if it is there already, can be an item. */
function isBeforeMap(bytes: Uint8Array, pendingBytes: number): boolean {
  const next = bytes[bytes.length - pendingBytes];
  return next === undefined || (next & 0xf0) === 0x80 || next === 0xde;
}

function unpackOne(unpacker: Unpacker): MsgpackValue | undefined {
  try {
    return unpacker.next();
  } catch (error) {
    if (error instanceof MsgpackError) return undefined;
    throw error;
  }
}
