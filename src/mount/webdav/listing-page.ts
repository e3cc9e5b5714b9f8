/**
 * A directory as a page for people: plain HTML that needs no script. Every name is somebody else's text, and could be
 * made to look like something else: it is escaped, and kept from turning what stands beside it around.
 */
import { toDisplayText } from '../../util/surrogate-escape.ts';
import { formatFileSize } from '../../util/file-size.ts';
import { formatTime, localTime, utcTime } from '../../util/wall-time.ts';
import { LISTING_STYLE } from './listing-style.ts';
import { escapeXml } from './markup.ts';
import { encodeUrlName, encodeUrlPath } from './url-path.ts';

export interface ListingRow {
  readonly name: Uint8Array;
  readonly kind: 'directory' | 'file' | 'other';
  /** Where it leads; undefined for what can't be had. */
  readonly href: string | undefined;
  /** What stands behind the name: of a link, where it leads to. */
  readonly remark: string | undefined;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
}

export interface ListingHead {
  /** What the root is called. */
  readonly title: string;
  readonly names: readonly Uint8Array[];
  /** It can be had as a tar. */
  readonly hasTar: boolean;
  /** Undefined: as they come. */
  readonly order: ListingOrder | undefined;
  /** There are few enough to sort. */
  readonly sorts: boolean;
}

const COLUMNS = ['name', 'size', 'time'] as const;
type Column = (typeof COLUMNS)[number];

export interface ListingOrder {
  readonly column: Column;
  readonly descending: boolean;
}

/** The value of `sort` in a query, such as `-size`; undefined where it makes no sense. */
export function parseListingOrder(text: string): ListingOrder | undefined {
  const [, minus = '', name = ''] = /^(-?)(\w+)$/.exec(text) ?? [];
  const column = COLUMNS.find((one) => one === name);
  return column && { column, descending: minus !== '' };
}

/** Directories first, unless by time. */
export function sortRows(rows: readonly ListingRow[], { column, descending }: ListingOrder): ListingRow[] {
  const sign = descending ? -1 : 1;
  const byName = (a: ListingRow, b: ListingRow) => Buffer.compare(a.name, b.name);
  const isBelow = ({ kind }: ListingRow) => (kind === 'directory' ? 0 : 1);
  return rows.toSorted((a, b) => {
    if (column === 'time') return sign * compare(a.mtimeNs, b.mtimeNs) || byName(a, b);
    const byKind = isBelow(a) - isBelow(b);
    if (byKind !== 0) return byKind;
    if (column === 'size') return sign * compare(a.sizeBytes, b.sizeBytes) || byName(a, b);
    return sign * byName(a, b);
  });
}

function compare<T extends number | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function formatListingStart(head: ListingHead): string {
  const here = showName(head.names.at(-1)) ?? head.title;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(here)}</title>
<style>${LISTING_STYLE}</style>
<header>
<nav aria-label="Path">${formatWay(head)}</nav>
${head.hasTar ? '<a class="tar" href="?download=tar">Download as tar</a>\n' : ''}</header>
<main>
<table>
<thead>
<tr>${formatColumns(head)}</tr>
</thead>
<tbody>
${head.names.length > 0 ? '<tr class="up"><td colspan="3"><a href="../">Parent directory</a></td></tr>\n' : ''}`;
}

export function formatListingRow(row: ListingRow, iec: boolean): string {
  const name = `<bdi>${escapeXml(showName(row.name)!)}</bdi>${row.kind === 'directory' ? '/' : ''}`;
  const shown =
    row.href === undefined
      ? `<span class="lost">${name}</span>`
      : `<a href="${escapeXml(row.href)}">${name}</a>`;
  const remark = row.remark === undefined ? '' : ` <small><bdi>${escapeXml(row.remark)}</bdi></small>`;
  const size = row.kind === 'file' ? formatFileSize(row.sizeBytes, { iec, precision: 1 }) : '';
  return `<tr class="${row.kind}"><td>${shown}${remark}</td><td>${size}</td><td>${formatTimeCell(row.mtimeNs)}</td></tr>\n`;
}

export function formatListingEnd(entries: number): string {
  const count = entries === 0 ? 'Nothing is in here.' : entries === 1 ? '1 entry' : `${entries} entries`;
  return `</tbody>\n</table>\n</main>\n<footer>${count}</footer>\n</html>\n`;
}

/** The way from the root; each part of it leads there. */
function formatWay({ title, names }: ListingHead): string {
  const parts = [title, ...names.map((name) => showName(name)!)];
  return parts
    .map((text, depth) => {
      const shown = `<bdi>${escapeXml(text)}</bdi>`;
      if (depth === names.length) return `<strong>${shown}</strong>`;
      return `<a href="${encodeUrlPath(names.slice(0, depth), true)}">${shown}</a>`;
    })
    .join('<span>/</span>');
}

const HEADINGS: Readonly<Record<Column, string>> = { name: 'Name', size: 'Size', time: 'Modified' };

function formatColumns({ order, sorts }: ListingHead): string {
  return COLUMNS.map((column) => {
    const heading = HEADINGS[column];
    if (!sorts) return `<th scope="col">${heading}</th>`;
    const isOrder = order?.column === column;
    // The first click on a size or a time asks for the largest or the latest.
    const descending = isOrder ? !order.descending : column !== 'name';
    const sorted = isOrder ? ` aria-sort="${order.descending ? 'descending' : 'ascending'}"` : '';
    return `<th scope="col"${sorted}><a href="?sort=${descending ? '-' : ''}${column}">${heading}</a></th>`;
  }).join('');
}

function formatTimeCell(timeNs: bigint): string {
  const timeUs = timeNs / 1000n;
  const exact = formatTime(utcTime(timeUs), '%Y-%m-%d %H:%M:%S UTC');
  return `<time title="${exact}">${formatTime(localTime(timeUs), '%Y-%m-%d %H:%M')}</time>`;
}

/** Marks that turn the direction of writing would have `exe.jpg` stand for a program. */
const DIRECTION_MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function showName(name: Uint8Array | undefined): string | undefined {
  return name && toDisplayText(name).replaceAll(DIRECTION_MARKS, '\ufffd');
}

/** Of an entry's URL below that of its directory. */
export function relativeHref(name: Uint8Array, isDirectory: boolean): string {
  return `${encodeUrlName(name)}${isDirectory ? '/' : ''}`;
}
