/**
 * The items of an archive, unpacked from the chunks of its metadata stream as they arrive.
 *
 * Source: Borg 1.4.5, archive.py, DownloadPipeline.unpack_many.
 */
import { IntegrityError } from '../errors.ts';
import { decodeItem, type Item } from '../format/item.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { OBJECT_LIMITS, Unpacker } from '../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackValue } from '../msgpack/value.ts';

/** Throws an IntegrityError where the stream is not made of items, or ends within one. */
export function decodeItems(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Item, void, undefined> {
  return unpackStream(stream, decodeItem);
}

/** The stream's values, each as `read` makes it; throws an IntegrityError as decodeItems() does. */
export async function* unpackStream<T>(
  stream: AsyncIterable<Uint8Array>,
  read: (value: MsgpackValue) => T,
): AsyncGenerator<T, void, undefined> {
  const unpacker = new Unpacker(OBJECT_LIMITS);
  for await (const data of stream) {
    damaged(() => unpacker.feed(data));
    for (;;) {
      const value: MsgpackValue | undefined = damaged(() => unpacker.next());
      if (value === undefined) break;
      yield damaged(() => read(value));
    }
  }
  if (!unpacker.idle) throw new IntegrityError(['item metadata stream: ends within an item']);
}

function damaged<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof MsgpackError || error instanceof MetadataError)) throw error;
    throw new IntegrityError([`item metadata stream: ${error.message}`], error);
  }
}
