/**
 * Goes over the items of a metadata stream and says where each is: in which chunk it begins, and where there. An item may
 * reach over the ends of chunks.
 */
import { setImmediate } from 'node:timers/promises';
import { IntegrityError } from '../errors.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { PackedItem } from '../format/packed-item.ts';
import { concatBytes } from '../util/bytes.ts';
import type { MetadataChunks } from './metadata-chunks.ts';

/** More than the list of chunks of a file of 40 TB. */
const MAX_ITEM_BYTES = 2 ** 30;

export type VisitItem = (item: PackedItem, bytes: Uint8Array, chunk: number, offset: number) => void;

/** Where bytes that were put together come from. */
interface Piece {
  readonly chunk: number;
  /** Place of the piece in the bytes, and of its first byte in the chunk. */
  readonly at: number;
  readonly offset: number;
}

/**
 * `visit` may use the item until it returns. Throws an IntegrityError where the stream is not made of items, or ends within
 * one; the signal's reason.
 */
export async function visitItems(
  stream: AsyncIterable<Uint8Array>,
  firstChunk: number,
  visit: VisitItem,
  signal?: AbortSignal,
): Promise<void> {
  const item = new PackedItem();
  let chunk = firstChunk;
  let parts: Uint8Array[] = [];
  let pieces: Piece[] = [];
  let sizeBytes = 0;
  /** With less there is no point in trying again. */
  let neededBytes = 0;
  const readParts = (): void => {
    const bytes = parts.length === 1 ? parts[0]! : concatBytes(parts);
    const end = visitAll(item, bytes, pieces, visit);
    const rest = bytes.subarray(end);
    pieces = rest.length === 0 ? [] : moved(pieces, end);
    parts = rest.length === 0 ? [] : [rest];
    sizeBytes = rest.length;
    if (sizeBytes > MAX_ITEM_BYTES) throw damaged('an item is too large');
    // Twice as much each time: an item in very many chunks is not to be read from its start for each of them.
    neededBytes = 2 * sizeBytes;
  };
  for await (const data of stream) {
    pieces.push({ chunk: chunk++, at: sizeBytes, offset: 0 });
    parts.push(data);
    sizeBytes += data.length;
    if (sizeBytes >= neededBytes) readParts();
    // Other requests are answered in between.
    await setImmediate();
    signal?.throwIfAborted();
  }
  if (sizeBytes > 0) readParts();
  if (sizeBytes > 0) throw damaged('ends within an item');
}

/**
 * Reads the item that begins there, from as many chunks as it takes; returns its bytes' number. Throws what fetching
 * throws, and IntegrityError.
 */
export async function readItemAt(
  item: PackedItem,
  chunks: Pick<MetadataChunks, 'fetch' | 'streamEnd'>,
  chunk: number,
  offset: number,
): Promise<number> {
  const end = chunks.streamEnd(chunk);
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  let neededBytes = 0;
  for (let next = chunk; next < end; next++) {
    const data = await chunks.fetch(next);
    const part = next === chunk ? data.subarray(offset) : data;
    parts.push(part);
    sizeBytes += part.length;
    if (sizeBytes < neededBytes && next + 1 < end) continue;
    item.wrap(parts.length === 1 ? part : concatBytes(parts));
    const itemBytes = reading(() => item.read(0));
    if (itemBytes >= 0) return itemBytes;
    neededBytes = 2 * sizeBytes;
  }
  throw damaged('ends within an item');
}

function visitAll(item: PackedItem, bytes: Uint8Array, pieces: readonly Piece[], visit: VisitItem): number {
  return reading(() => {
    let piece = 0;
    item.wrap(bytes);
    for (let at = 0; ;) {
      const end = item.read(at);
      if (end < 0) return at;
      while (piece + 1 < pieces.length && pieces[piece + 1]!.at <= at) piece++;
      const { chunk, at: start, offset } = pieces[piece]!;
      visit(item, bytes, chunk, at - start + offset);
      at = end;
    }
  });
}

/** What of the pieces is behind `from`. */
function moved(pieces: readonly Piece[], from: number): Piece[] {
  return pieces.flatMap((piece, index) => {
    const end = pieces[index + 1]?.at ?? Infinity;
    if (end <= from) return [];
    const cut = Math.max(from - piece.at, 0);
    return [{ chunk: piece.chunk, at: piece.at + cut - from, offset: piece.offset + cut }];
  });
}

function reading<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    throw damaged(error.message, error);
  }
}

function damaged(what: string, cause?: unknown): IntegrityError {
  return new IntegrityError([`item metadata stream: ${what}`], cause);
}
