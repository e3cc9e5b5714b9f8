/** The id of an object as it is typed. Source: Borg 1.4.5, helpers/parseformat.py, hex_to_bin. */
import { ID_SIZE_BYTES } from '../../repository/repository.ts';
import { fromHex } from '../../util/bytes.ts';

/** Throws a RangeError whose message is Borg's. */
export function parseObjectId(text: string): Uint8Array {
  const id = parseHexDigits(text);
  if (id.length === ID_SIZE_BYTES) return id;
  const digits = 2 * ID_SIZE_BYTES;
  throw new RangeError(`Expected ${ID_SIZE_BYTES} bytes (${digits} hex digits), got ${id.length} bytes.`);
}

/** Any number of bytes; throws a RangeError whose message is Python's. */
export function parseHexDigits(text: string): Uint8Array {
  if (/\P{ASCII}/u.test(text)) {
    throw new RangeError('string argument should contain only ASCII characters');
  }
  if (text.length % 2 !== 0) throw new RangeError('Odd-length string');
  if (/[^0-9a-f]/i.test(text)) throw new RangeError('Non-hexadecimal digit found');
  return fromHex(text);
}
