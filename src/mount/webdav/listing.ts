/** The page of a directory: its rows, in order where there are not too many. */
import type { Write } from '../../platform/http-server.ts';
import { isDirectory, isSymlink } from '../../platform/file-stat.ts';
import { formatFileMode } from '../../util/file-mode.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { VfsEntry } from '../vfs.ts';
import { directoryEntries } from './directory-entries.ts';
import {
  formatListingEnd,
  formatListingRow,
  formatListingStart,
  type ListingRow,
  parseListingOrder,
  relativeHref,
  sortRows,
} from './listing-page.ts';
import type { Resource } from './resource.ts';
import { isLostLink, isServed, type Found, type LostLink, type ServedTree } from './served-tree.ts';
import { TextWriter } from './text-writer.ts';
import { encodeUrlPath } from './url-path.ts';

/** More are written as they come: to sort them, all would have to be held. */
const MAX_SORTED = 10_000;

export interface ListingOptions {
  readonly hasTar: boolean;
  readonly iec: boolean;
  /** The query's; null where it says nothing. */
  readonly sort: string | null;
}

/** @throws VfsError */
export async function writeListing(
  tree: ServedTree,
  { names, found }: Resource,
  { hasTar, iec, sort }: ListingOptions,
  write: Write,
): Promise<void> {
  const rows = rowsOf(tree, found);
  const held: ListingRow[] = [];
  while (held.length <= MAX_SORTED) {
    const next = await rows.next();
    if (next.done === true) break;
    held.push(next.value);
  }
  const sorts = held.length <= MAX_SORTED;
  const order = sorts ? (parseListingOrder(sort ?? '') ?? defaultOrder(tree, found)) : undefined;
  const writer = new TextWriter(write);
  await writer.add(formatListingStart({ title: tree.title, names, hasTar, order, sorts }));
  let entries = 0;
  const add = async (row: ListingRow): Promise<void> => {
    entries += 1;
    await writer.add(formatListingRow(row, iec));
  };
  for (const row of order === undefined ? held : sortRows(held, order)) await add(row);
  for await (const row of rows) await add(row);
  await writer.add(formatListingEnd(entries));
  await writer.flush();
}

/** Archives stay in the order in which they were selected. */
function defaultOrder(tree: ServedTree, { path }: Found) {
  return tree.placeOf(path) === undefined ? undefined : ({ column: 'name', descending: false } as const);
}

async function* rowsOf(tree: ServedTree, directory: Found): AsyncGenerator<ListingRow, void, undefined> {
  for await (const entry of directoryEntries(tree.vfs, directory.inode)) {
    yield isSymlink(entry.type)
      ? await linkRow(tree, entry, await tree.follow(directory, entry))
      : await plainRow(tree, entry);
  }
}

async function plainRow({ vfs }: ServedTree, { name, inode }: VfsEntry): Promise<ListingRow> {
  const { mode, sizeBytes, mtimeNs } = await vfs.attributes(inode);
  const directory = isDirectory(mode);
  const served = isServed(mode);
  return {
    name,
    kind: directory ? 'directory' : served ? 'file' : 'other',
    href: served ? relativeHref(name, directory) : undefined,
    remark: served ? undefined : formatFileMode(mode),
    sizeBytes,
    mtimeNs,
  };
}

async function linkRow(
  { vfs }: ServedTree,
  { name, inode }: VfsEntry,
  found: Found | LostLink,
): Promise<ListingRow> {
  const remark = `\u2192 ${toDisplayText(await vfs.readLink(inode))}`;
  const { mtimeNs } = await vfs.attributes(inode);
  if (isLostLink(found) || !isServed(found.attributes.mode)) {
    return { name, kind: 'other', href: undefined, remark, sizeBytes: 0, mtimeNs };
  }
  const { mode, sizeBytes } = found.attributes;
  return isDirectory(mode)
    ? { name, kind: 'directory', href: encodeUrlPath(found.path, true), remark, sizeBytes: 0, mtimeNs }
    : { name, kind: 'file', href: relativeHref(name, false), remark, sizeBytes, mtimeNs };
}
