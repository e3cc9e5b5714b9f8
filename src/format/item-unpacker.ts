/**
 * Unpacks items from a stream that arrives in pieces: those that are whole in a piece and have the usual form directly,
 * all others as generic values (see item-reader.ts), with the limits and errors of those.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.unpack_many.
 */
import { OBJECT_LIMITS, Unpacker, type UnpackLimits } from '../msgpack/unpacker.ts';
import type { MsgpackValue } from '../msgpack/value.ts';
import { ItemReader } from './item-reader.ts';
import { decodeItem, type Item } from './item.ts';

/** A value that has not the usual form of an item, and may be none. */
export class OtherValue {
  readonly value: MsgpackValue;

  constructor(value: MsgpackValue) {
    this.value = value;
  }
}

export class ItemUnpacker {
  readonly #limits: UnpackLimits;
  readonly #reader: ItemReader;
  /** The piece that was fed last, and what has been read of it by the reader. */
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Has the rest of the piece, if it has begun. */
  #unpacker: Unpacker;
  #isUnpacking = false;
  /** In this piece it has gone over to the unpacker, and stays there: what is left is not copied again and again. */
  #stays = false;

  constructor(limits: UnpackLimits = OBJECT_LIMITS, reader: ItemReader = new ItemReader()) {
    this.#limits = limits;
    this.#reader = reader;
    this.#unpacker = new Unpacker(limits);
  }

  /** Whether the data so far ends between two items. */
  get idle(): boolean {
    return this.#isUnpacking ? this.#unpacker.idle : this.#at === this.#bytes.length;
  }

  /**
   * Adds bytes, which may be changed when next() has nothing more to give. Throws a MsgpackError where too much of an
   * item would wait.
   */
  feed(bytes: Uint8Array): void {
    if (!this.#isUnpacking && !this.idle) this.#unpack();
    if (this.#isUnpacking && this.#unpacker.idle) this.#isUnpacking = false;
    if (this.#isUnpacking || bytes.length > (this.#limits.maxBufferBytes ?? Infinity)) {
      this.#isUnpacking = true;
      this.#unpacker.feed(bytes);
    } else {
      this.#reader.wrap(bytes);
    }
    this.#bytes = bytes;
    this.#at = 0;
    this.#stays = false;
  }

  /**
   * The next item that is complete, or undefined where more bytes are needed. Throws a MetadataError for a value that is
   * none, and goes on behind it; a MsgpackError where the bytes make no sense.
   */
  next(): Item | undefined {
    const next = this.nextAny();
    return next instanceof OtherValue ? decodeItem(next.value) : next;
  }

  /** The same for any value. Throws a MsgpackError where the bytes make no sense. */
  nextAny(): Item | OtherValue | undefined {
    if (!this.#isUnpacking) {
      const item = this.#reader.read(this.#at);
      if (item !== undefined) {
        this.#at = this.#reader.end;
        return item;
      }
      if (this.#at === this.#bytes.length) return undefined;
      this.#unpack();
    }
    const value = this.#unpacker.next();
    if (value === undefined) return undefined;
    if (!this.#stays && this.#unpacker.pendingBytes <= this.#bytes.length) this.#return();
    return new OtherValue(value);
  }

  /** Gives the rest of the piece to the unpacker. */
  #unpack(): void {
    this.#unpacker.feed(this.#bytes.subarray(this.#at));
    this.#isUnpacking = true;
    this.#stays = true;
  }

  /** Goes on with the reader where the unpacker is. */
  #return(): void {
    this.#at = this.#bytes.length - this.#unpacker.pendingBytes;
    this.#unpacker = new Unpacker(this.#limits);
    this.#reader.wrap(this.#bytes);
    this.#isUnpacking = false;
  }
}
