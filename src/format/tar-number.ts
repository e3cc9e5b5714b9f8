/**
 * Numbers in tar headers: octal digits, or, for what has too many of them, base 256.
 *
 * | first byte | the rest                                                                    |
 * |------------|-----------------------------------------------------------------------------|
 * | 80         | the number, big-endian                                                      |
 * | ff         | a negative number n as 256 ** (size - 1) + n, big-endian                     |
 * | other      | octal digits up to a NUL, blanks around them; nothing at all is 0            |
 *
 * Source: Python 3.14, tarfile.py, nti and itn, by which Borg 1.4.5 reads and writes tars.
 */
import { toBinaryString } from '../util/bytes.ts';

/** A tar is not what it should be; the message says in which way. */
export class TarFormatError extends Error {
  override readonly name = 'TarFormatError';
}

const POSITIVE = 0x80;
const NEGATIVE = 0xff;
/** What Python's int(text, 8) takes. */
const OCTAL = /^([+-]?)(?:0[oO]_?)?([0-7]+(?:_[0-7]+)*)$/;

/** @throws TarFormatError */
export function decodeTarNumber(field: Uint8Array, what: string): bigint {
  if (field[0] === POSITIVE || field[0] === NEGATIVE) {
    let value = 0n;
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    return field[0] === NEGATIVE ? value - (1n << BigInt(8 * (field.length - 1))) : value;
  }
  const text = toBinaryString(field).split('\0', 1)[0]!;
  // Python's strip(), of ASCII.
  // oxlint-disable-next-line no-control-regex
  const digits = text.replaceAll(/^[\t-\r\x1c-\x20]+|[\t-\r\x1c-\x20]+$/g, '');
  if (digits === '') return 0n;
  const found = OCTAL.exec(digits);
  if (found === null) throw new TarFormatError(`${what} is no number`);
  const value = BigInt(`0o${found[2]!.replaceAll('_', '')}`);
  return found[1] === '-' ? -value : value;
}

/**
 * A field of so many bytes; `base256` allows numbers that need it.
 *
 * @throws TarFormatError where the number has no room
 */
export function encodeTarNumber(value: bigint, sizeBytes: number, base256: boolean): Uint8Array {
  const digits = sizeBytes - 1;
  if (value >= 0n && value < 1n << BigInt(3 * digits)) {
    return Buffer.from(`${value.toString(8).padStart(digits, '0')}\0`, 'latin1');
  }
  const end = 1n << BigInt(8 * digits);
  if (!base256 || value < -end || value >= end) {
    throw new TarFormatError(`the number ${value} has no room in a tar header`);
  }
  const field = new Uint8Array(sizeBytes);
  let rest = value < 0n ? value + end : value;
  for (let at = digits; at > 0; at--) {
    field[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  field[0] = value < 0n ? NEGATIVE : POSITIVE;
  return field;
}
