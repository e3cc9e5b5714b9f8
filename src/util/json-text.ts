/**
 * JSON as Python's json module writes it: ASCII only, its separators, its indentation, its floats.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, json_dump, _json_indent_from_env; Python 3.14, documentation of `json`.
 */
import { formatFloat } from './python-float.ts';

/** A number that is written as a float even if it is whole, e.g. `0.0`. */
export class JsonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonFloat
  | readonly JsonValue[]
  /** An object whose members stay in this order, also where their names are numbers. */
  | ReadonlyMap<string, JsonValue>
  | { readonly [key: string]: JsonValue | undefined };

export interface JsonOptions {
  /** Text per level, or undefined for everything on one line. */
  indent?: string | undefined;
  sortKeys?: boolean;
}

/** Object members that are undefined are left out; a number with a fraction is written as a float. */
export function encodeJson(value: JsonValue, options: JsonOptions = {}): string {
  return write(value, options, '\n');
}

/** The indentation that BORG_JSON_INDENT asks for: four spaces unless it says otherwise. */
export function jsonIndent(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const value = env['BORG_JSON_INDENT'];
  if (value === undefined) return '    ';
  if (value.toLowerCase() === 'none') return undefined;
  return /^\s*[+-]?\d+\s*$/.test(value) ? ' '.repeat(Math.min(100, Math.max(0, Number(value)))) : value;
}

function write(value: JsonValue, options: JsonOptions, newline: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : otherNumber(value);
  if (value instanceof JsonFloat) return jsonNumber(value.value);
  const inner = options.indent === undefined ? newline : newline + options.indent;
  if (Array.isArray(value)) {
    return enclose(
      '[]',
      (value as readonly JsonValue[]).map((one) => write(one, options, inner)),
      options,
      newline,
    );
  }
  const object = value as JsonObject;
  const keys = object instanceof Map ? [...object.keys()] : Object.keys(object);
  if (options.sortKeys === true) keys.sort();
  const written: string[] = [];
  for (const key of keys) {
    const one = object instanceof Map ? object.get(key) : object[key];
    if (one !== undefined) written.push(`${quote(key)}: ${write(one, options, inner)}`);
  }
  return enclose('{}', written, options, newline);
}

type JsonObject = Map<string, JsonValue> | Readonly<Record<string, JsonValue | undefined>>;

function enclose(marks: string, parts: readonly string[], options: JsonOptions, newline: string): string {
  if (parts.length === 0) return marks;
  if (options.indent === undefined) return marks[0]! + parts.join(', ') + marks[1]!;
  const inner = newline + options.indent;
  return marks[0]! + inner + parts.join(`,${inner}`) + newline + marks[1]!;
}

function otherNumber(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : jsonNumber(value);
}

function jsonNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return formatFloat(value);
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

/** Needs no escapes. */
const plain = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  const body = text.replaceAll(
    /["\\]|[^ -~]/g,
    (unit) => escapes[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${body}"`;
}
