/**
 * Lines of `list` for the archives of a repository: by a format, or as JSON.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, ArchiveFormatter; archiver.py, _list_repository (default formats).
 */
import { toHex } from '../../util/bytes.ts';
import type { Template } from '../../util/format-template.ts';
import type { JsonValue } from '../../util/json-text.ts';
import { joinShellWords } from '../../util/shell-quote.ts';
import { removeSurrogates } from '../../util/surrogate-escape.ts';
import { archiveLocalTime } from '../../util/wall-time.ts';
import type { Archive } from '../archive.ts';
import type { SelectedArchive } from '../archive-selection.ts';
import { applyFormat, type KeyHelp, listKeys, parseFormat, TimeValue } from './format-keys.ts';

export const DEFAULT_ARCHIVE_FORMAT = '{archive:<36} {time} [{id}]{NL}';
export const SHORT_ARCHIVE_FORMAT = '{archive}{NL}';

/** Keys that need the archive's own metadata; JSON holds them only where the format names them. */
const METADATA_KEYS = ['hostname', 'username', 'comment', 'bcomment', 'end', 'command_line', 'tam'];

const KEY_GROUPS: readonly (readonly KeyHelp[])[] = [
  [
    ['archive', 'archive name interpreted as text (might be missing non-text characters, see barchive)'],
    ['name', 'alias of "archive"'],
    ['barchive', 'verbatim archive name, can contain any character except NUL'],
    ['comment', 'archive comment interpreted as text (might be missing non-text characters, see bcomment)'],
    ['bcomment', 'verbatim archive comment, can contain any character except NUL'],
    ['id', 'internal ID of the archive'],
    ['tam', 'TAM authentication state of this archive'],
  ],
  [
    ['start', 'time (start) of creation of the archive'],
    ['time', 'alias of "start"'],
    ['end', 'time (end) of creation of the archive'],
    ['command_line', 'command line which was used to create the archive'],
  ],
  [
    ['hostname', 'hostname of host on which this archive was created'],
    ['username', 'username of user who created this archive'],
  ],
];

export class ArchiveFormatter {
  readonly #format: string;
  readonly #template: Template;
  readonly #metadataKeys: string[];
  readonly #open: (name: string) => Promise<Archive>;

  /**
   * `open` is called for each archive in its turn where the format asks for more than the manifest knows. Throws
   * PlaceholderError.
   */
  constructor(format: string, open: (name: string) => Promise<Archive>) {
    this.#format = format;
    this.#template = parseFormat(format);
    this.#metadataKeys = METADATA_KEYS.filter((key) => this.#template.keys.has(key));
    this.#open = open;
  }

  static keysHelp(): string {
    return listKeys(KEY_GROUPS);
  }

  /** The archive by the format; `encodeSurrogateEscaped` makes its bytes, those of {barchive} verbatim. */
  async formatArchive(selected: SelectedArchive): Promise<string> {
    const archive = await this.#load(selected);
    return applyFormat(this.#template, this.#format, (key) => {
      const value = valueOf(key, selected, archive);
      return Array.isArray(value) ? joinShellWords(value) : value;
    });
  }

  /** The archive's entry in the JSON of `list`. */
  async toJson(selected: SelectedArchive): Promise<Record<string, JsonValue>> {
    const archive = await this.#load(selected);
    const data: Record<string, JsonValue> = {};
    for (const key of ['archive', 'barchive', 'id', 'name', 'start', 'time', ...this.#metadataKeys]) {
      const value = valueOf(key, selected, archive);
      data[key] = value instanceof TimeValue ? value.toIso() : (value as JsonValue);
    }
    return data;
  }

  async #load(selected: SelectedArchive): Promise<Archive | undefined> {
    return this.#metadataKeys.length > 0 ? await this.#open(selected.name) : undefined;
  }
}

type Value = string | TimeValue | string[] | undefined;

function valueOf(key: string, selected: SelectedArchive, archive: Archive | undefined): Value {
  switch (key) {
    case 'archive':
    case 'name':
      return removeSurrogates(selected.name);
    case 'barchive':
      return selected.name;
    case 'id':
      return toHex(selected.id);
    case 'start':
    case 'time':
      return time(selected.timeNs);
    case 'end':
      return archive && time(archive.endNs);
    case 'hostname':
      return removeSurrogates(archive?.metadata.hostname ?? '');
    case 'username':
      return removeSurrogates(archive?.metadata.username ?? '');
    case 'comment':
      return removeSurrogates(archive?.comment ?? '');
    case 'bcomment':
      return archive?.comment ?? '';
    case 'command_line':
      return archive?.metadata.cmdline.map(removeSurrogates) ?? [];
    case 'tam':
      return archive?.verified === true ? 'verified' : 'none';
    default:
      return undefined;
  }
}

function time(timeNs: bigint): TimeValue {
  return new TimeValue(archiveLocalTime(timeNs / 1000n));
}
