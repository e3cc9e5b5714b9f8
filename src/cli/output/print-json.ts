import { encodeJson, jsonIndent, type JsonValue } from '../../util/json-text.ts';
import type { CliContext } from '../context.ts';

/** The one document of --json. */
export function printJson(ctx: CliContext, value: JsonValue): void {
  ctx.print(`${encodeJson(value, { sortKeys: true, indent: jsonIndent(ctx.env) })}\n`);
}
