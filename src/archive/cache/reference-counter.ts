/**
 * Counts the chunk references in an item metadata stream without decoding the items: it walks the msgpack and looks
 * only into `chunks` and for `part` at the top of each item.
 *
 * Source: Borg 1.4.5, cache_sync/unpack.h and cache_sync.c (hashindex.pyx, CacheSynchronizer).
 */
import { IntegrityError } from '../../errors.ts';
import { MsgpackError } from '../../msgpack/value.ts';
import { concatBytes } from '../../util/bytes.ts';
import type { ChunkIndex } from './chunk-index.ts';
import { IncompleteMsgpack, MsgpackCursor } from './msgpack-cursor.ts';

const ID_BYTES = 32;
/** A chunk list entry takes at least: array head, raw16 head and id, and two one-byte numbers. */
const MIN_ENTRY_BYTES = 1 + 2 + ID_BYTES + 2;

export class ReferenceCounter {
  totalFiles = 0;
  partFiles = 0;
  totalSizeBytes = 0;
  partSizeBytes = 0;
  totalCsizeBytes = 0;
  partCsizeBytes = 0;

  readonly #index: ChunkIndex;
  /** The start of an item that goes on in the next chunk of the stream. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Not worth trying again before this many bytes are there. */
  #neededBytes = 0;

  constructor(index: ChunkIndex) {
    this.#index = index;
  }

  /**
   * Counts what is whole in the stream so far.
   *
   * @throws IntegrityError where the stream is not msgpack as items have it
   */
  feed(data: Uint8Array): void {
    this.#pending.push(data);
    this.#pendingBytes += data.length;
    if (this.#pendingBytes < this.#neededBytes) {
      // A copy: the caller's buffer must not be kept beyond the call.
      this.#pending[this.#pending.length - 1] = data.slice();
      return;
    }
    const cursor = new MsgpackCursor(this.#pending.length === 1 ? data : concatBytes(this.#pending));
    let done = 0;
    this.#neededBytes = 0;
    try {
      while (!cursor.atEnd) {
        this.#item(cursor);
        done = cursor.offset;
      }
    } catch (error) {
      if (error instanceof MsgpackError) {
        throw new IntegrityError([`item metadata stream: ${error.message}`], error);
      }
      if (!(error instanceof IncompleteMsgpack)) throw error;
      this.#neededBytes = cursor.bytes.length - done + error.missingBytes;
    }
    this.#pending = done < cursor.bytes.length ? [cursor.bytes.slice(done)] : [];
    this.#pendingBytes = cursor.bytes.length - done;
  }

  #item(cursor: MsgpackCursor): void {
    const fields = cursor.mapLength();
    let chunksOffset = -1;
    let part = false;
    for (let i = 0; i < fields; i++) {
      const key = cursor.raw();
      if (isAscii(key, 'chunks')) {
        chunksOffset = cursor.offset;
        skipChunks(cursor);
      } else {
        if (isAscii(key, 'part')) part = true;
        cursor.skip();
      }
    }
    if (chunksOffset < 0) return;
    // Counted only now: before, the item might have turned out to be incomplete.
    const end = cursor.offset;
    cursor.offset = chunksOffset;
    this.#countChunks(cursor, part);
    cursor.offset = end;
  }

  #countChunks(cursor: MsgpackCursor, part: boolean): void {
    let size = 0;
    let csize = 0;
    for (let left = cursor.arrayLength(); left > 0; left--) {
      cursor.arrayLength();
      const id = cursor.raw();
      const sizeBytes = cursor.uint32();
      const csizeBytes = cursor.uint32();
      this.#index.countReference(id, sizeBytes, csizeBytes);
      size += sizeBytes;
      csize += csizeBytes;
    }
    this.totalFiles += 1;
    this.totalSizeBytes += size;
    this.totalCsizeBytes += csize;
    if (!part) return;
    this.partFiles += 1;
    this.partSizeBytes += size;
    this.partCsizeBytes += csize;
  }
}

function skipChunks(cursor: MsgpackCursor): void {
  for (let left = cursor.arrayLength(); left > 0; left--) {
    // Asks for all the rest at once, so that a long list is not walked again for each chunk of the stream.
    cursor.need(left * MIN_ENTRY_BYTES);
    if (cursor.arrayLength() !== 3) throw new MsgpackError('invalid chunk list entry length');
    if (cursor.raw().length !== ID_BYTES) throw new MsgpackError('incorrect key length');
    cursor.uint32();
    cursor.uint32();
  }
}

function isAscii(bytes: Uint8Array, text: string): boolean {
  if (bytes.length !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}
