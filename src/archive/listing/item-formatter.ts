/**
 * Lines of `list` for the items of an archive: by a format, or as JSON.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, ItemFormatter; archiver.py, _list_archive (default formats).
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import { toBinaryString } from '../../util/bytes.ts';
import { formatFileMode } from '../../util/file-mode.ts';
import type { Template, TemplateValue } from '../../util/format-template.ts';
import { encodeJson, type JsonValue } from '../../util/json-text.ts';
import { decodeSurrogateEscaped, removeSurrogates, toDisplayText } from '../../util/surrogate-escape.ts';
import { itemLocalTime } from '../../util/wall-time.ts';
import { hashContents, HASH_KEYS } from './content-hash.ts';
import { applyFormat, type KeyHelp, listKeys, parseFormat, TimeValue } from './format-keys.ts';
import { itemCsizeBytes, itemSizeBytes } from './item-sizes.ts';

export const DEFAULT_ITEM_FORMAT = '{mode} {user:6} {group:6} {size:8} {mtime} {path}{extra}{NL}';
export const SHORT_ITEM_FORMAT = '{path}{NL}';

/** What the formatter wants to know of the archive. */
export interface FormattedArchive {
  readonly name: string;
  readonly idHex: string;
  /** The contents of an item with chunks, for hashes. */
  contents(chunks: readonly ChunkRef[]): AsyncIterable<Uint8Array>;
  /** References to a chunk in the whole repository, for what is unique; missing where no cache is at hand. */
  refcount?(id: Uint8Array): number;
}

const CACHE_KEYS = ['dsize', 'dcsize', 'unique_chunks'];
const TIME_KEYS = ['mtime', 'ctime', 'atime'] as const;
/** Keys that JSON holds only where the format names them. */
const CALLED_KEYS: readonly string[] = [
  'size',
  'csize',
  'dsize',
  'dcsize',
  'num_chunks',
  'unique_chunks',
  'isomtime',
  'isoctime',
  'isoatime',
  ...TIME_KEYS,
  ...HASH_KEYS,
];

const KEY_GROUPS: readonly (readonly KeyHelp[])[] = [
  [
    ['type'],
    ['mode'],
    ['uid'],
    ['gid'],
    ['user'],
    ['group'],
    ['path', 'path interpreted as text (might be missing non-text characters, see bpath)'],
    ['bpath', 'verbatim POSIX path, can contain any character except NUL'],
    ['source', 'link target for links (identical to linktarget)'],
    ['linktarget'],
    ['flags'],
  ],
  [
    ['size'],
    ['csize', 'compressed size'],
    ['dsize', 'deduplicated size'],
    ['dcsize', 'deduplicated compressed size'],
    ['num_chunks', 'number of chunks in this file'],
    ['unique_chunks', 'number of unique chunks in this file'],
  ],
  [['mtime'], ['ctime'], ['atime'], ['isomtime'], ['isoctime'], ['isoatime']],
  HASH_KEYS.map((key) =>
    key === 'xxh64' ? [key, 'XXH64 checksum of this file (not a cryptographic hash)'] : [key],
  ),
  [
    ['archiveid'],
    ['archivename'],
    ['extra', 'prepends {source} with " -> " for soft links and " link to " for hard links'],
  ],
  [['health', 'either "healthy" (file ok) or "broken" (if file has all-zero replacement chunks)']],
];

const NO_HASHES: ReadonlyMap<string, string> = new Map();

export class ItemFormatter {
  readonly #archive: FormattedArchive;
  readonly #format: string;
  readonly #template: Template;
  readonly #keys: Set<string>;
  readonly #hashKeys: string[];
  readonly #jsonKeys: string[];

  /** Throws PlaceholderError where the format cannot be read. */
  constructor(archive: FormattedArchive, format: string) {
    this.#archive = archive;
    this.#format = format;
    this.#template = parseFormat(format);
    this.#keys = this.#template.keys;
    this.#hashKeys = HASH_KEYS.filter((key) => this.#keys.has(key));
    this.#jsonKeys = CALLED_KEYS.filter((key) => this.#keys.has(key));
  }

  static keysHelp(): string {
    return listKeys(KEY_GROUPS);
  }

  /** Whether the format needs the archive's `refcount`. */
  static needsCache(format: string): boolean {
    const keys = parseFormat(format).keys;
    return CACHE_KEYS.some((key) => keys.has(key));
  }

  /** The item by the format; `encodeSurrogateEscaped` makes its bytes, those of {bpath} verbatim. */
  async formatItem(item: Item): Promise<string> {
    const hashes = await this.#hashes(item);
    return applyFormat(this.#template, this.#format, (key) => hashes.get(key) ?? this.#value(key, item));
  }

  /** The item as one line of JSON: its main properties, and what else the format names. */
  async formatJson(item: Item): Promise<string> {
    const hashes = await this.#hashes(item);
    const source = displayed(item.source);
    const data: Record<string, JsonValue> = {};
    if (this.#keys.has('archivename')) data['archivename'] = this.#archive.name;
    if (this.#keys.has('archiveid')) data['archiveid'] = this.#archive.idHex;
    for (const key of ['type', 'mode', 'user', 'group', 'uid', 'gid', 'path'] as const) {
      data[key] = this.#value(key, item) as JsonValue;
    }
    data['healthy'] = item.chunksHealthy === undefined;
    data['source'] = source;
    data['linktarget'] = source;
    data['flags'] = item.bsdflags ?? 0;
    for (const key of this.#jsonKeys) {
      const value = hashes.get(key) ?? this.#value(key, item);
      data[key] = value instanceof TimeValue ? value.toIso() : (value as JsonValue);
    }
    return `${encodeJson(data)}\n`;
  }

  #hashes(item: Item): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>> {
    return this.#hashKeys.length === 0 ? NO_HASHES : this.#hash(item);
  }

  async #hash(item: Item): Promise<ReadonlyMap<string, string>> {
    const hashes = new Map<string, string>();
    for (const key of this.#hashKeys) {
      const { chunks } = item;
      hashes.set(key, chunks === undefined ? '' : await hashContents(key, this.#archive.contents(chunks)));
    }
    return hashes;
  }

  #value(key: string, item: Item): TemplateValue | undefined {
    switch (key) {
      case 'type':
        return formatFileMode(item.mode ?? 0)[0]!;
      case 'mode':
        return shownMode(item);
      case 'user':
        return nameOrId(item.user, item.uid);
      case 'group':
        return nameOrId(item.group, item.gid);
      case 'uid':
        return item.uid ?? 0;
      case 'gid':
        return item.gid ?? 0;
      case 'path':
        return toDisplayText(item.path);
      case 'bpath':
        return decodeSurrogateEscaped(item.path);
      case 'source':
      case 'linktarget':
        return displayed(item.source);
      case 'extra':
        return extra(item);
      case 'flags':
        return item.bsdflags ?? 0;
      case 'health':
        return item.chunksHealthy === undefined ? 'healthy' : 'broken';
      case 'archivename':
        return this.#archive.name;
      case 'archiveid':
        return this.#archive.idHex;
      case 'size':
        return itemSizeBytes(item);
      case 'csize':
        return itemCsizeBytes(item);
      case 'num_chunks':
        return item.chunks?.length ?? 0;
      case 'unique_chunks':
        return this.#sumUnique(item, () => 1);
      case 'dsize':
        return this.#sumUnique(item, (chunk) => chunk.size);
      case 'dcsize':
        return this.#sumUnique(item, (chunk) => chunk.csize);
      case 'mtime':
      case 'ctime':
      case 'atime':
        return timeOf(item, key);
      case 'isomtime':
      case 'isoctime':
      case 'isoatime':
        return timeOf(item, key.slice(3) as (typeof TIME_KEYS)[number]).toIso();
      default:
        return undefined;
    }
  }

  /** Sums over the chunks that nothing but this item refers to. */
  #sumUnique(item: Item, value: (chunk: ChunkRef) => number): number {
    const chunks = item.chunks ?? [];
    const counts = new Map<string, number>();
    const refcount = this.#archive.refcount?.bind(this.#archive);
    if (refcount === undefined) return 0;
    for (const { id } of chunks) {
      const key = toBinaryString(id);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    let sum = 0;
    for (const chunk of chunks) {
      if (refcount(chunk.id) === counts.get(toBinaryString(chunk.id))) sum += value(chunk);
    }
    return sum;
  }
}

function isSymlink(item: Item): boolean {
  return formatFileMode(item.mode ?? 0).startsWith('l');
}

function displayed(text: Uint8Array | undefined): string {
  return text === undefined ? '' : toDisplayText(text);
}

/** A hard link's second and further names are shown as type `h`. */
function shownMode(item: Item): string {
  const mode = formatFileMode(item.mode ?? 0);
  return displayed(item.source) === '' || isSymlink(item) ? mode : `h${mode.slice(1)}`;
}

function extra(item: Item): string {
  const source = displayed(item.source);
  if (source === '') return '';
  return isSymlink(item) ? ` -> ${source}` : ` link to ${source}`;
}

function nameOrId(name: Uint8Array | null | undefined, id: number | undefined): string | number {
  return name === undefined || name === null || name.length === 0
    ? (id ?? 0)
    : removeSurrogates(decodeSurrogateEscaped(name));
}

function timeOf(item: Item, key: (typeof TIME_KEYS)[number]): TimeValue {
  const times = { mtime: item.mtimeNs, ctime: item.ctimeNs, atime: item.atimeNs };
  return new TimeValue(itemLocalTime(times[key] || (item.mtimeNs ?? 0n)));
}
