/**
 * Placeholders such as {hostname} and {now:%Y-%m-%d} in archive names, locations, comments and globs.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, replace_placeholders, format_line.
 */
import { InvalidPlaceholder, PlaceholderError } from '../errors.ts';
import type { Environment } from '../util/context.ts';
import { Template, TemplateError, type TemplateValue } from '../util/format-template.ts';
import { formatIsoTimeSeconds, formatTime, localTime, utcTime, type WallTime } from '../util/wall-time.ts';

/** What the placeholders stand for, as far as it comes from outside. */
export interface PlaceholderSource {
  readonly env: Environment;
  readonly pid: number;
  readonly hostname: string;
  readonly fqdn: string;
  readonly user: string;
  /** The version of Borg whose behaviour this program has, e.g. `1.4.5`. */
  readonly borgVersion: string;
  /** Wall clock, or what --timestamp says. */
  readonly nowNs: bigint;
  uuid(): string;
}

/** The text with all placeholders replaced; throws InvalidPlaceholder or PlaceholderError. */
export function replacePlaceholders(text: string, source: PlaceholderSource): string {
  if (!text.includes('{') && !text.includes('}')) return text;
  const values = placeholderValues(source);
  try {
    const template = Template.parse(text);
    const converted = template.convertedKeys;
    for (const key of template.keys) {
      if (key !== '' && (converted.has(key) || !values.has(key))) throw new InvalidPlaceholder([key, text]);
    }
    return template.format((key) => values.get(key));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new PlaceholderError([text, '{...}', 'ValueError', error.message], error);
  }
}

function placeholderValues(source: PlaceholderSource): Map<string, TemplateValue> {
  const { env, fqdn, borgVersion } = source;
  const nowUs = source.nowNs / 1000n;
  const parts = /^\d+(?:\.\d+){0,2}/.exec(borgVersion)?.[0].split('.') ?? [];
  return new Map<string, TemplateValue>([
    ['pid', source.pid],
    ['fqdn', fqdn],
    ['reverse-fqdn', fqdn.split('.').toReversed().join('.')],
    ['hostname', env['BORG_HOSTNAME'] || source.hostname],
    ['now', moment(localTime(nowUs, true))],
    ['utcnow', moment(utcTime(nowUs))],
    ['unixtime', nowUs / 1_000_000n],
    ['user', env['BORG_USERNAME'] || source.user],
    ['uuid4', source.uuid()],
    ['borgversion', borgVersion],
    ['borgmajor', parts.slice(0, 1).join('.')],
    ['borgminor', parts.slice(0, 2).join('.')],
    ['borgpatch', parts.slice(0, 3).join('.')],
  ]);
}

function moment(time: WallTime): TemplateValue {
  return { format: (spec) => (spec === '' ? formatIsoTimeSeconds(time) : formatTime(time, spec)) };
}
