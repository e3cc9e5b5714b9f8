/**
 * The items of an archive whose item stream may be damaged: all that can still be read.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.rebuild_refcounts (robust_iterator).
 */
import { OtherValue } from '../../format/item-unpacker.ts';
import { type Item, decodeItem } from '../../format/item.ts';
import { MetadataError } from '../../format/metadata-fields.ts';
import { RobustItemStream, itemProblem } from '../../format/robust-item-stream.ts';
import { MsgpackError, type MsgpackValue } from '../../msgpack/value.ts';
import { toHex } from '../../util/bytes.ts';
import { breathe } from '../../repository/check/segment-scan.ts';
import { damageText, type ObjectSource } from './object-source.ts';

export interface ItemStreamParts {
  /** Ids of the stream's objects. */
  readonly ids: readonly Uint8Array[];
  /** All keys that an item may have. */
  readonly itemKeys: ReadonlySet<string>;
  readonly objects: ObjectSource;
  /** Whether there is such an object. */
  isPresent(id: Uint8Array): boolean;
  /** Is told what can't be read, in Borg's words. */
  onGap(text: string, id: Uint8Array): void;
}

/** Of a batch, as in item-stream.ts. */
const BATCH_ITEMS = 32;

/**
 * Many items at a time, as far as there is nothing to be told of between them. Behind a gap, reading goes on at the next
 * thing that looks like an item.
 */
export async function* survivingItems(
  parts: ItemStreamParts,
): AsyncGenerator<readonly Item[], void, undefined> {
  const { ids, itemKeys, objects } = parts;
  const stream = new RobustItemStream(itemKeys);
  const problem = (text: string, id: Uint8Array, number: number): void =>
    parts.onGap(`${text} [chunk: ${String(number).padStart(6, '0')}_${toHex(id)}]`, id);
  let hasGap = false;
  let lastIsRead = false;
  for (let number = 0; number < ids.length;) {
    const present = ids[number]!;
    if (!parts.isPresent(present)) {
      problem('item metadata chunk missing', present, number++);
      hasGap = true;
      lastIsRead = false;
      continue;
    }
    if (hasGap) stream.resync();
    let end = number + 1;
    while (end < ids.length && parts.isPresent(ids[end]!)) end++;
    for await (const read of objects.readAll([ids.slice(number, end)])) {
      lastIsRead = read.plaintext !== undefined;
      if (read.plaintext === undefined) {
        problem(damageText(read.openError ?? read.readError), read.id, number++);
        // What follows is not the rest of what came before.
        stream.resync();
        hasGap = true;
        continue;
      }
      await breathe();
      stream.feed(read.plaintext);
      let batch: Item[] = [];
      for (const next of itemsOf(stream, itemKeys)) {
        if (typeof next !== 'string' && batch.push(next) < BATCH_ITEMS) continue;
        if (batch.length > 0) yield batch;
        batch = [];
        if (typeof next === 'string') problem(next, read.id, number);
      }
      if (batch.length > 0) yield batch;
      number++;
    }
  }
  // What is lost behind a gap was told of already.
  if (lastIsRead && stream.isWithinValue) {
    problem(`${NO_ITEM} (it ends within an item)`, ids.at(-1)!, ids.length - 1);
  }
}

const NO_ITEM = 'Did not get expected metadata dict when unpacking item metadata';

/** What is whole in what was fed; texts tell of what is wrong. */
function* itemsOf(stream: RobustItemStream, itemKeys: ReadonlySet<string>): Generator<Item | string> {
  for (;;) {
    let next: Item | OtherValue | undefined;
    try {
      next = stream.next();
    } catch (error) {
      if (!(error instanceof MsgpackError)) throw error;
      yield 'Unpacker crashed while unpacking item metadata, trying to resync...';
      stream.resync();
      return;
    }
    if (next === undefined) return;
    const item = next instanceof OtherValue ? toItem(next.value, itemKeys) : next;
    yield typeof item === 'string' ? `${NO_ITEM} (${item})` : item;
  }
}

/** The item, or what is wrong with it. */
function toItem(value: MsgpackValue, itemKeys: ReadonlySet<string>): Item | string {
  const wrong = itemProblem(value, itemKeys);
  if (wrong !== undefined) return wrong;
  try {
    const item = decodeItem(value);
    item.unknown?.delete('acl');
    return item;
  } catch (error) {
    if (error instanceof MetadataError) return error.message;
    throw error;
  }
}
