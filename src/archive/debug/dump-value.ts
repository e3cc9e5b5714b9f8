/**
 * Metadata as JSON that a person can read. Bytes that are UTF-8 become text; all others, ids above all, U+007F and hex
 * digits.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, prepare_dump_dict; helpers/datastruct.py, StableDict.
 */
import type { MsgpackKey, MsgpackValue } from '../../msgpack/value.ts';
import { fromBinaryString, toHex } from '../../util/bytes.ts';
import type { JsonValue } from '../../util/json-text.ts';
import { decodeSurrogateEscaped } from '../../util/surrogate-escape.ts';

const HEX_MARK = '\u007f';
const HEX_MARK_BYTE = 0x7f;

/** An unpacked value for encodeJson(); the members of maps are in the order of their names' bytes. */
export function dumpValue(value: MsgpackValue): JsonValue {
  if (value instanceof Uint8Array) return value[0] === HEX_MARK_BYTE ? hex(value) : textOrHex(value);
  if (value instanceof Map) {
    const members = [...value].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return new Map(members.map(([key, one]) => [dumpKey(key), dumpValue(one)]));
  }
  if (Array.isArray(value)) return (value as readonly MsgpackValue[]).map(dumpValue);
  return value as JsonValue;
}

function dumpKey(key: MsgpackKey): string {
  return typeof key === 'string' ? textOrHex(fromBinaryString(key)) : String(key);
}

function textOrHex(bytes: Uint8Array): string {
  const text = decodeSurrogateEscaped(bytes);
  return text.isWellFormed() ? text : hex(bytes);
}

function hex(bytes: Uint8Array): string {
  return HEX_MARK + toHex(bytes);
}
