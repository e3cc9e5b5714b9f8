/**
 * Two states of one path, compared: their contents, and, unless only those count, owner, mode and times. Extended
 * attributes, ACLs and flags are not looked at.
 *
 * Source: Borg 1.4.5, item.pyx, ItemDiff.
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import {
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isSymlink,
} from '../../platform/file-stat.ts';
import { equalBytes, toBinaryString } from '../../util/bytes.ts';
import { itemSizeBytes } from '../listing/item-sizes.ts';
import type { Change, ItemKind, OwnerName } from './change.ts';
import { contentsEqual } from './contents-equal.ts';

/** An item, or that there is nothing at the path. */
export type ItemState = Item | undefined;

export interface ItemDiffOptions {
  /** Both archives were cut in the same way, so equal contents have equal chunks. */
  readonly sameChunker: boolean;
  readonly contentOnly: boolean;
  /** Compare owners by number. */
  readonly numericIds: boolean;
}

export interface ItemDiff {
  readonly before: ItemState;
  readonly after: ItemState;
  readonly equal: boolean;
  readonly changes: readonly Change[];
}

/** Reads the contents of a chunk list of one of the archives. */
export type ContentsOf = (chunks: readonly ChunkRef[]) => AsyncIterable<Uint8Array>;

/** `contents` are read only where the chunk lists can't tell. */
export async function diffItems(
  before: ItemState,
  after: ItemState,
  contents: { readonly before: ContentsOf; readonly after: ContentsOf },
  options: ItemDiffOptions,
): Promise<ItemDiff> {
  const equal =
    sameMetadata(before, after, options) &&
    (await sameContents(before, after, contents, options.sameChunker));
  return { before, after, equal, changes: [...changesBetween(before, after, options)] };
}

function sameMetadata(before: ItemState, after: ItemState, options: ItemDiffOptions): boolean {
  if (before === undefined || after === undefined) return before === after;
  if (!sameBytes(before.source, after.source)) return false;
  if (options.contentOnly) return true;
  return (
    before.mode === after.mode &&
    before.ctimeNs === after.ctimeNs &&
    before.mtimeNs === after.mtimeNs &&
    ownerChange(before, after, options.numericIds) === undefined
  );
}

async function sameContents(
  before: ItemState,
  after: ItemState,
  contents: { readonly before: ContentsOf; readonly after: ContentsOf },
  sameChunker: boolean,
): Promise<boolean> {
  if (before?.chunks === undefined || after?.chunks === undefined) return true;
  if (sameChunker) return sameChunks(before.chunks, after.chunks);
  if (itemSizeBytes(before) !== itemSizeBytes(after)) return false;
  return contentsEqual(contents.before(before.chunks), contents.after(after.chunks));
}

function* changesBetween(before: ItemState, after: ItemState, options: ItemDiffOptions): Generator<Change> {
  const either = (isKind: (mode: number) => boolean): boolean =>
    isKind(before?.mode ?? 0) || isKind(after?.mode ?? 0);
  if (either(isSymlink)) yield* linkChange(before, after);
  yield* contentChange(before, after, options.sameChunker);
  if (either(isDirectory)) yield* presenceChange(before, after, 'directory');
  if (either(isBlockDevice)) yield* presenceChange(before, after, 'blkdev');
  if (either(isCharacterDevice)) yield* presenceChange(before, after, 'chrdev');
  if (either(isFifo)) yield* presenceChange(before, after, 'fifo');
  if (before === undefined || after === undefined || options.contentOnly) return;
  const owner = ownerChange(before, after, options.numericIds);
  if (owner !== undefined) yield owner;
  if (before.mode !== undefined && after.mode !== undefined && before.mode !== after.mode) {
    yield { type: 'mode', oldMode: before.mode, newMode: after.mode };
  }
  yield* timeChange('ctime', before.ctimeNs, after.ctimeNs);
  yield* timeChange('mtime', before.mtimeNs, after.mtimeNs);
}

function* presenceChange(before: ItemState, after: ItemState, kind: ItemKind): Generator<Change> {
  if (after === undefined && before !== undefined) yield { type: `removed ${kind}` };
  else if (before === undefined && after !== undefined) yield { type: `added ${kind}` };
}

function* linkChange(before: ItemState, after: ItemState): Generator<Change> {
  if (before === undefined || after === undefined) yield* presenceChange(before, after, 'link');
  else if (before.source !== undefined && after.source !== undefined) {
    if (!equalBytes(before.source, after.source)) yield { type: 'changed link' };
  }
}

function* contentChange(before: ItemState, after: ItemState, sameChunker: boolean): Generator<Change> {
  if (before === undefined) {
    if (after?.chunks !== undefined) yield { type: 'added', sizeBytes: itemSizeBytes(after) };
  } else if (after === undefined) {
    if (before.chunks !== undefined) yield { type: 'removed', sizeBytes: itemSizeBytes(before) };
  } else if (before.chunks !== undefined && after.chunks !== undefined) {
    if (!sameChunker) yield { type: 'modified' };
    else {
      const addedBytes = sizeMissingFrom(before.chunks, after.chunks);
      const removedBytes = sizeMissingFrom(after.chunks, before.chunks);
      yield { type: 'modified', addedBytes, removedBytes };
    }
  }
}

function ownerChange(before: Item, after: Item, numericIds: boolean): Change | undefined {
  const [oldUser, oldGroup] = ownerOf(before, numericIds);
  const [newUser, newGroup] = ownerOf(after, numericIds);
  if (sameOwner(oldUser, newUser) && sameOwner(oldGroup, newGroup)) return undefined;
  return { type: 'owner', oldUser, oldGroup, newUser, newGroup };
}

function ownerOf(item: Item, numericIds: boolean): readonly [user: OwnerName, group: OwnerName] {
  return numericIds ? [item.uid ?? null, item.gid ?? null] : [item.user ?? null, item.group ?? null];
}

function sameOwner(a: OwnerName, b: OwnerName): boolean {
  return a === b || (a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b));
}

function* timeChange(
  type: 'ctime' | 'mtime',
  oldNs: bigint | undefined,
  newNs: bigint | undefined,
): Generator<Change> {
  if (oldNs !== undefined && newNs !== undefined && oldNs !== newNs) yield { type, oldNs, newNs };
}

/** Size of the chunks that `other` lacks. */
function sizeMissingFrom(other: readonly ChunkRef[], chunks: readonly ChunkRef[]): number {
  const known = new Set(other.map(({ id }) => toBinaryString(id)));
  let sizeBytes = 0;
  for (const { id, size } of chunks) if (!known.has(toBinaryString(id))) sizeBytes += size;
  return sizeBytes;
}

function sameChunks(a: readonly ChunkRef[], b: readonly ChunkRef[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((chunk, index) => {
    const other = b[index]!;
    return chunk.size === other.size && chunk.csize === other.csize && equalBytes(chunk.id, other.id);
  });
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}
