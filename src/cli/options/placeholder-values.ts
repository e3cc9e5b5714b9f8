/** Values with placeholders such as {hostname}. */
import { replacePlaceholders } from '../../archive/placeholders.ts';
import { BORG_VERSION } from '../version.ts';
import type { ParseContext, ParseValue } from './option.ts';

export const parsePlaceholders: ParseValue = (text, context) => fillPlaceholders(text, context);

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
