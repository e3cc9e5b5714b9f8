/**
 * The items of an archive, unpacked from the chunks of its metadata stream as they arrive.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.unpack_many.
 */
import { IntegrityError } from '../errors.ts';
import { ItemUnpacker } from '../format/item-unpacker.ts';
import type { Item } from '../format/item.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { OBJECT_LIMITS, Unpacker } from '../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackValue } from '../msgpack/value.ts';

/** Of a batch: few enough that they are forgotten before the collector has moved them. */
const BATCH_VALUES = 32;

/**
 * Many items at a time: to take each by itself costs more than to decode it. Throws an IntegrityError where the stream is
 * not made of items, or ends within one, after the items before.
 */
export function decodeItemBatches(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Item[], void, undefined> {
  return unpackBatches(stream, new ItemUnpacker());
}

/** The stream's values, whatever they are; throws an IntegrityError as decodeItemBatches() does. */
export async function* unpackStream(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<MsgpackValue, void, undefined> {
  for await (const batch of unpackBatches(stream, new Unpacker(OBJECT_LIMITS))) {
    for (const value of batch) yield value;
  }
}

type StreamUnpacker<T> = Pick<Unpacker, 'feed' | 'idle'> & { next(): T | undefined };

async function* unpackBatches<T>(
  stream: AsyncIterable<Uint8Array>,
  unpacker: StreamUnpacker<T>,
): AsyncGenerator<T[], void, undefined> {
  for await (const data of stream) {
    damaged(() => unpacker.feed(data));
    for (;;) {
      const { batch, error } = nextBatch(unpacker);
      // What comes before the damage is there to be used.
      if (batch.length > 0) yield batch;
      if (error !== undefined) throw error;
      if (batch.length < BATCH_VALUES) break;
    }
  }
  if (!unpacker.idle) throw new IntegrityError(['item metadata stream: ends within an item']);
}

/** Values that are whole in what was fed; with an error, those before it. */
function nextBatch<T>(unpacker: StreamUnpacker<T>): { batch: T[]; error?: unknown } {
  const batch: T[] = [];
  try {
    while (batch.length < BATCH_VALUES) {
      const value = unpacker.next();
      if (value === undefined) break;
      batch.push(value);
    }
    return { batch };
  } catch (error) {
    return { batch, error: asDamage(error) };
  }
}

function damaged(call: () => void): void {
  try {
    call();
  } catch (error) {
    throw asDamage(error);
  }
}

function asDamage(error: unknown): unknown {
  if (!(error instanceof MsgpackError || error instanceof MetadataError)) return error;
  return new IntegrityError([`item metadata stream: ${error.message}`], error);
}
