/** Values with placeholders such as {hostname}. */
import { replacePlaceholders } from '../../archive/placeholders.ts';
import { Template, TemplateError } from '../../util/format-template.ts';
import { BORG_VERSION } from '../version.ts';
import type { ParseContext, ParseValue } from './option.ts';
import { invalidValue } from './values.ts';

export const parsePlaceholders: ParseValue = (text, context) => {
  assertTemplate(text, 'replace_placeholders');
  return fillPlaceholders(text, context);
};

/** Braces that don't match; `name` is that of Borg's function for the value. */
export function assertTemplate(text: string, name: string): void {
  try {
    Template.parse(text);
  } catch (error) {
    if (error instanceof TemplateError) throw invalidValue(name, text);
    throw error;
  }
}

/** `nowNs` stands in for the clock, e.g. with --timestamp. */
export async function fillPlaceholders(text: string, context: ParseContext, nowNs?: bigint): Promise<string> {
  if (!text.includes('{') && !text.includes('}')) return text;
  return replacePlaceholders(text, {
    ...(await context.identity()),
    env: context.env,
    borgVersion: BORG_VERSION,
    nowNs: nowNs ?? context.nowNs(),
    uuid: () => crypto.randomUUID(),
  });
}
