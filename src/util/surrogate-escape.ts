/**
 * Bytes as text without loss, as Python's `surrogateescape`: bytes that are UTF-8 decode as such, and each other
 * byte b becomes the lone surrogate U+DC00+b. Paths, link targets and names are matched and formatted in this form.
 *
 * Source: Borg 1.4.5, helpers/parseformat.py, safe_decode, safe_encode, remove_surrogates.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { toBinaryString } from './bytes.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const surrogates = /\p{Surrogate}/gu;

export function decodeSurrogateEscaped(bytes: Uint8Array): string {
  if (isAscii(bytes)) return toBinaryString(bytes);
  if (isUtf8(bytes)) return decoder.decode(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  let offset = 0;
  while (offset < buffer.length) {
    const length = sequenceLength(buffer, offset);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + buffer[offset]!);
      offset += 1;
    } else {
      text += buffer.toString('utf8', offset, offset + length);
      offset += length;
    }
  }
  return text;
}

/** Throws a RangeError where the text holds a surrogate that no byte decodes to. */
export function encodeSurrogateEscaped(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const parts: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else if (code >= 0xd800 && code <= 0xdfff) {
      throw new RangeError(`text holds the surrogate U+${code.toString(16)}`);
    } else parts.push(...Buffer.from(character, 'utf8'));
  }
  return Uint8Array.from(parts);
}

/** Text that can be shown: each byte that is no UTF-8 becomes a question mark. */
export function removeSurrogates(text: string): string {
  return text.isWellFormed() ? text : text.replace(surrogates, '?');
}

/** What `removeSurrogates` makes of the decoded bytes. */
export function toDisplayText(bytes: Uint8Array): string {
  return removeSurrogates(decodeSurrogateEscaped(bytes));
}

/** Length of the well-formed UTF-8 sequence at `offset`, 0 where there is none. */
function sequenceLength(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset]!;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || first > 0xf4 || offset + length > bytes.length) return 0;
  const second = bytes[offset + 1]!;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let index = 2; index < length; index++) {
    if ((bytes[offset + index]! & 0xc0) !== 0x80) return 0;
  }
  return length;
}
