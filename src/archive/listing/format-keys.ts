/**
 * Keys of --format that items and archives share, and how all of them are listed for the user.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, BaseFormatter and its keys_help.
 */
import { InvalidPlaceholder, PlaceholderError } from '../../errors.ts';
import {
  type Reader,
  Template,
  TemplateError,
  type TemplateValue,
  UnknownKeyError,
} from '../../util/format-template.ts';
import { formatIsoTime, formatTime, type WallTime } from '../../util/wall-time.ts';

/** A key and, where its name does not say it, what it stands for. */
export type KeyHelp = readonly [key: string, description?: string];

export const FIXED_KEYS: ReadonlyMap<string, string> = new Map([
  ['LF', '\n'],
  ['SPACE', ' '],
  ['TAB', '\t'],
  ['CR', '\r'],
  ['NUL', '\0'],
  ['NEWLINE', '\n'],
  ['NL', '\n'],
]);

const FIXED_KEY_HELP: readonly KeyHelp[] = [
  ['NEWLINE', 'OS dependent line separator'],
  ['NL', 'alias of NEWLINE'],
  ['NUL', 'NUL character, for output that xargs -0 reads'],
  ['SPACE'],
  ['TAB'],
  ['CR'],
  ['LF'],
];

/** Lines for the help: one for each key, an empty one between groups. */
export function listKeys(groups: readonly (readonly KeyHelp[])[]): string {
  const lines = (group: readonly KeyHelp[]): string =>
    group.map(([key, text]) => `- ${key}${text === undefined ? '' : `: ${text}`}\n`).join('');
  return [FIXED_KEY_HELP, ...groups].map(lines).join('\n');
}

/** A time as a template value: as people read it, or by the `%` format behind the colon. */
export class TimeValue {
  readonly #time: WallTime;

  constructor(time: WallTime) {
    this.#time = time;
  }

  format(spec: string): string {
    return formatTime(this.#time, spec);
  }

  /** As in JSON. */
  toIso(): string {
    return formatIsoTime(this.#time);
  }
}

/** Throws PlaceholderError where the format cannot be read. */
export function parseFormat(format: string): Template {
  return explained(format, () => Template.parse(format));
}

/** Throws InvalidPlaceholder for a key that there is none of, PlaceholderError for a wrong specification. */
export function applyFormat(
  template: Template,
  format: string,
  value: (key: string) => TemplateValue | undefined,
): string {
  return explained(format, () => template.format((key) => FIXED_KEYS.get(key) ?? value(key)));
}

/** As applyFormat(), for many things of a kind; see Template.bind(). */
export function bindFormat<T>(
  template: Template,
  format: string,
  readerOf: (key: string) => Reader<T> | undefined,
): (from: T) => string {
  const apply = template.bind<T>((key) => {
    const fixed = FIXED_KEYS.get(key);
    return fixed === undefined ? readerOf(key) : () => fixed;
  });
  return (from) => explained(format, () => apply(from));
}

function explained<T>(format: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof UnknownKeyError) throw new InvalidPlaceholder([error.key, format], error);
    if (!(error instanceof TemplateError)) throw error;
    throw new PlaceholderError([format, '{...}', 'ValueError', error.message], error);
  }
}
