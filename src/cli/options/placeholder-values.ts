/** Values with placeholders such as {hostname}. */
import { replacePlaceholders } from '../../archive/placeholders.ts';
import { Template, TemplateError } from '../../util/format-template.ts';
import { BORG_VERSION } from '../version.ts';
import { InvalidValue, type ParseContext, type ParseValue } from './option.ts';
import { invalidValue } from './values.ts';

export const parsePlaceholders: ParseValue = (text, context) => {
  assertTemplate(text, 'replace_placeholders');
  return fillPlaceholders(text, context);
};

/** Refuses braces that don't match; `name` is that of Borg's function for the value where the text has to say it. */
export function assertTemplate(text: string, name?: string): void {
  try {
    Template.parse(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw name === undefined ? new InvalidValue(error.message) : invalidValue(name, text);
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
