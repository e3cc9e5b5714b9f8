/**
 * Templates such as `{name:<20} {size:8d}{NL}`, as Python's `str.format_map`.
 *
 * Source: Python 3.14, library reference, "Format String Syntax".
 */
import { formatInteger, formatNumber, FormatSpecError, formatString } from './format-spec.ts';

/** A value that knows its own formats, e.g. a time. */
export interface Formattable {
  /** `spec` is what stands behind the colon, maybe empty. */
  format(spec: string): string;
}

/** A number is a whole number unless it has a fraction. */
export type TemplateValue = string | number | bigint | Formattable;

export class TemplateError extends Error {
  override readonly name: string = 'TemplateError';
}

/** The template names a key that there is none of. */
export class UnknownKeyError extends TemplateError {
  override readonly name = 'UnknownKeyError';
  readonly key: string;

  constructor(key: string) {
    super(`unknown key '${key}'`);
    this.key = key;
  }
}

/** How a key's value is read; undefined where there is none after all. */
export type Reader<T> = (from: T) => TemplateValue | undefined;

interface Field {
  readonly key: string;
  readonly conversion: string;
  readonly spec: Template;
}

/** A template, read once and applied often. */
export class Template {
  readonly #parts: readonly (string | Field)[];

  private constructor(parts: readonly (string | Field)[]) {
    this.#parts = parts;
  }

  /** Throws TemplateError where braces do not match. */
  static parse(source: string, depth = 0): Template {
    return new Template(parse(source, depth));
  }

  /** What it makes of everything; undefined where it names keys. */
  get text(): string | undefined {
    return this.#parts.every((part) => typeof part === 'string') ? this.#parts.join('') : undefined;
  }

  /** The keys that it names, those within specifications too. */
  get keys(): Set<string> {
    const keys = new Set<string>();
    for (const part of this.#parts) {
      if (typeof part === 'string') continue;
      keys.add(part.key);
      for (const key of part.spec.keys) keys.add(key);
    }
    return keys;
  }

  /** The keys with a conversion such as `!r`. */
  get convertedKeys(): Set<string> {
    const fields = this.#parts.filter((part) => typeof part !== 'string');
    return new Set(fields.filter((field) => field.conversion !== '').map((field) => field.key));
  }

  /** Throws UnknownKeyError, or TemplateError where a value does not go with its specification. */
  format(value: (key: string) => TemplateValue | undefined): string {
    return this.bind((key) => () => value(key))(undefined);
  }

  /**
   * A function that formats as format() does, for many things of a kind: `readerOf` is asked once for how a key's value
   * is read of one. Keys that there are none of are an error only where there is something to format.
   */
  bind<T>(readerOf: (key: string) => Reader<T> | undefined): (from: T) => string {
    const pieces = this.#parts.map((part) => (typeof part === 'string' ? part : bindField(part, readerOf)));
    return (from) => {
      let text = '';
      for (const piece of pieces) text += typeof piece === 'string' ? piece : piece(from);
      return text;
    };
  }
}

/** Applies a template once. */
export function formatTemplate(template: string, values: Readonly<Record<string, TemplateValue>>): string {
  return Template.parse(template).format((key) => (Object.hasOwn(values, key) ? values[key] : undefined));
}

function bindField<T>(field: Field, readerOf: (key: string) => Reader<T> | undefined): (from: T) => string {
  const read = readerOf(field.key);
  const { text } = field.spec;
  const isPlain = text === '' && field.conversion === '';
  const specOf = text === undefined ? field.spec.bind(readerOf) : () => text;
  return (from) => {
    const found = read?.(from);
    if (found === undefined) throw new UnknownKeyError(field.key);
    return isPlain && typeof found === 'string' ? found : applySpec(field, found, specOf(from));
  };
}

function applySpec(field: Field, found: TemplateValue, spec: string): string {
  try {
    if (field.conversion !== '') return formatString(convert(found, field.conversion), spec);
    return formatValue(found, spec);
  } catch (error) {
    if (!(error instanceof FormatSpecError)) throw error;
    throw new TemplateError(`{${field.key}}: ${error.message}`, { cause: error });
  }
}

export function formatValue(value: TemplateValue, spec: string): string {
  if (typeof value === 'string') return formatString(value, spec);
  if (typeof value === 'bigint') return formatInteger(value, spec);
  if (typeof value !== 'number') return value.format(spec);
  return Number.isInteger(value) ? formatInteger(value, spec) : formatNumber(value, spec);
}

function convert(value: TemplateValue, conversion: string): string {
  const text = formatValue(value, '');
  if (conversion === 's' || typeof value !== 'string') return text;
  return quote(text, conversion === 'a');
}

/** Python's repr() of text, or its ascii(). */
function quote(text: string, ascii: boolean): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const named: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  let body = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === mark) body += `\\${mark}`;
    else if (named[character] !== undefined) body += named[character];
    else if ((ascii && code > 0x7e) || (character !== ' ' && /[\p{C}\p{Z}]/u.test(character))) {
      const digits = code <= 0xff ? 2 : code <= 0xffff ? 4 : 8;
      body += `\\${digits === 2 ? 'x' : digits === 4 ? 'u' : 'U'}${code.toString(16).padStart(digits, '0')}`;
    } else body += character;
  }
  return mark + body + mark;
}

function parse(source: string, depth: number): (string | Field)[] {
  const parts: (string | Field)[] = [];
  let literal = '';
  for (let at = 0; at < source.length; at++) {
    const character = source[at]!;
    if (character !== '{' && character !== '}') literal += character;
    else if (source[at + 1] === character && depth === 0) {
      literal += character;
      at += 1;
    } else if (character === '}') throw new TemplateError("Single '}' encountered in format string");
    else {
      const end = closingBrace(source, at + 1);
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(parseField(source.slice(at + 1, end), depth));
      at = end;
    }
  }
  if (literal !== '') parts.push(literal);
  return parts;
}

function closingBrace(source: string, start: number): number {
  if (start === source.length) throw new TemplateError("Single '{' encountered in format string");
  let open = 1;
  for (let at = start; at < source.length; at++) {
    if (source[at] === '{') open += 1;
    else if (source[at] === '}' && --open === 0) return at;
  }
  throw new TemplateError("expected '}' before end of string");
}

function parseField(source: string, depth: number): Field {
  if (depth > 1) throw new TemplateError('Max string recursion exceeded');
  const match = /^([^!:{}]*)(?:!([^:]*))?(?::([^]*))?$/.exec(source);
  if (match === null) throw new TemplateError("unexpected '{' in field name");
  const [, key, conversion, spec = ''] = match;
  if (conversion !== undefined && !/^[rsa]$/.test(conversion)) {
    throw new TemplateError(`Unknown conversion specifier '${conversion}'`);
  }
  return { key: key!, conversion: conversion ?? '', spec: Template.parse(spec, depth + 1) };
}
