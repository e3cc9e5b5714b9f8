/**
 * Lines of `list` for the items of an archive: by a format, or as JSON.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, ItemFormatter; archiver.py, _list_archive (default formats).
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import { equalBytes, toBinaryString } from '../../util/bytes.ts';
import { formatFileMode } from '../../util/file-mode.ts';
import type { Reader } from '../../util/format-template.ts';
import { encodeJson, type JsonValue } from '../../util/json-text.ts';
import { decodeSurrogateEscaped, toDisplayText } from '../../util/surrogate-escape.ts';
import { itemLocalTime } from '../../util/wall-time.ts';
import { hashContents, HASH_KEYS } from './content-hash.ts';
import { bindFormat, type KeyHelp, listKeys, parseFormat, TimeValue } from './format-keys.ts';
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
  'mtime',
  'ctime',
  'atime',
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

/** An item, and the hashes of its contents that the format asks for, by key. */
interface Listed {
  readonly item: Item;
  readonly hashes: ReadonlyMap<string, string>;
}

const NO_HASHES: ReadonlyMap<string, string> = new Map();

export class ItemFormatter {
  readonly #archive: FormattedArchive;
  readonly #readers: ReadonlyMap<string, Reader<Listed>>;
  readonly #keys: Set<string>;
  readonly #hashKeys: string[];
  readonly #jsonKeys: string[];
  readonly #line: (listed: Listed) => string;

  /** Throws PlaceholderError where the format cannot be read. */
  constructor(archive: FormattedArchive, format: string) {
    this.#archive = archive;
    const template = parseFormat(format);
    this.#keys = template.keys;
    this.#readers = this.#createReaders();
    this.#hashKeys = HASH_KEYS.filter((key) => this.#keys.has(key));
    this.#jsonKeys = CALLED_KEYS.filter((key) => this.#keys.has(key));
    this.#line = bindFormat(template, format, (key) => this.#readers.get(key));
  }

  static keysHelp(): string {
    return listKeys(KEY_GROUPS);
  }

  /** Whether the format needs the archive's `refcount`. */
  static needsCache(format: string): boolean {
    const keys = parseFormat(format).keys;
    return CACHE_KEYS.some((key) => keys.has(key));
  }

  /**
   * The item by the format, at once unless its contents must be read; `encodeSurrogateEscaped` makes its bytes, those of
   * {bpath} verbatim.
   */
  formatItem(item: Item): string | Promise<string> {
    if (this.#hashKeys.length === 0) return this.#line({ item, hashes: NO_HASHES });
    return this.#hash(item).then((hashes) => this.#line({ item, hashes }));
  }

  /** The item as one line of JSON: its main properties, and what else the format names. */
  formatJson(item: Item): string | Promise<string> {
    if (this.#hashKeys.length === 0) return this.#json({ item, hashes: NO_HASHES });
    return this.#hash(item).then((hashes) => this.#json({ item, hashes }));
  }

  #json(listed: Listed): string {
    const { item } = listed;
    const source = displayed(item.source);
    const data: Record<string, JsonValue> = {};
    if (this.#keys.has('archivename')) data['archivename'] = this.#archive.name;
    if (this.#keys.has('archiveid')) data['archiveid'] = this.#archive.idHex;
    for (const key of ['type', 'mode', 'user', 'group', 'uid', 'gid', 'path'] as const) {
      data[key] = this.#readers.get(key)!(listed) as JsonValue;
    }
    data['healthy'] = item.chunksHealthy === undefined;
    data['source'] = source;
    data['linktarget'] = source;
    data['flags'] = item.bsdflags ?? 0;
    for (const key of this.#jsonKeys) {
      const value = this.#readers.get(key)!(listed);
      data[key] = value instanceof TimeValue ? value.toIso() : (value as JsonValue);
    }
    return `${encodeJson(data)}\n`;
  }

  async #hash(item: Item): Promise<ReadonlyMap<string, string>> {
    const hashes = new Map<string, string>();
    for (const key of this.#hashKeys) {
      const { chunks } = item;
      hashes.set(key, chunks === undefined ? '' : await hashContents(key, this.#archive.contents(chunks)));
    }
    return hashes;
  }

  /** How each key's value is read of an item. */
  #createReaders(): ReadonlyMap<string, Reader<Listed>> {
    const { name, idHex } = this.#archive;
    const user = nameReader();
    const group = nameReader();
    const readers: Readonly<Record<string, Reader<Listed>>> = {
      type: ({ item }) => formatFileMode(item.mode ?? 0)[0]!,
      mode: ({ item }) => shownMode(item),
      user: ({ item }) => user(item.user) ?? item.uid ?? 0,
      group: ({ item }) => group(item.group) ?? item.gid ?? 0,
      uid: ({ item }) => item.uid ?? 0,
      gid: ({ item }) => item.gid ?? 0,
      path: ({ item }) => toDisplayText(item.path),
      bpath: ({ item }) => decodeSurrogateEscaped(item.path),
      source: ({ item }) => displayed(item.source),
      linktarget: ({ item }) => displayed(item.source),
      extra: ({ item }) => extra(item),
      flags: ({ item }) => item.bsdflags ?? 0,
      health: ({ item }) => (item.chunksHealthy === undefined ? 'healthy' : 'broken'),
      archivename: () => name,
      archiveid: () => idHex,
      size: ({ item }) => itemSizeBytes(item),
      csize: ({ item }) => itemCsizeBytes(item),
      num_chunks: ({ item }) => item.chunks?.length ?? 0,
      unique_chunks: ({ item }) => this.#sumUnique(item, () => 1),
      dsize: ({ item }) => this.#sumUnique(item, (chunk) => chunk.size),
      dcsize: ({ item }) => this.#sumUnique(item, (chunk) => chunk.csize),
      mtime: ({ item }) => timeOf(item, item.mtimeNs),
      ctime: ({ item }) => timeOf(item, item.ctimeNs),
      atime: ({ item }) => timeOf(item, item.atimeNs),
      isomtime: ({ item }) => timeOf(item, item.mtimeNs).toIso(),
      isoctime: ({ item }) => timeOf(item, item.ctimeNs).toIso(),
      isoatime: ({ item }) => timeOf(item, item.atimeNs).toIso(),
    };
    const hashes = HASH_KEYS.map((key): [string, Reader<Listed>] => [
      key,
      (listed) => listed.hashes.get(key),
    ]);
    return new Map([...Object.entries(readers), ...hashes]);
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

/** Names as text, undefined for none. Many items in a row have the same, which is read once. */
function nameReader(): (name: Uint8Array | null | undefined) => string | undefined {
  let last: Uint8Array | undefined;
  let text = '';
  return (name) => {
    if (name === undefined || name === null || name.length === 0) return undefined;
    if (last === undefined || !equalBytes(name, last)) text = toDisplayText(name);
    last = name;
    return text;
  };
}

function timeOf(item: Item, timeNs: bigint | undefined): TimeValue {
  return new TimeValue(itemLocalTime(timeNs || (item.mtimeNs ?? 0n)));
}
