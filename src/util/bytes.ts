/** Small pure operations on byte arrays. Paths, ids and extended attributes are bytes in this program, never text. */

const utf8Encoder = new TextEncoder();

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Decodes hex digits; throws a RangeError on anything else, or where `length` (bytes) does not match. */
export function fromHex(text: string, length?: number): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new RangeError(`not hex: ${JSON.stringify(text)}`);
  if (length !== undefined && text.length !== 2 * length) {
    throw new RangeError(`expected ${length} bytes of hex, got ${text.length / 2}`);
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function fromUtf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** Text for showing or for JSON: bytes that are not UTF-8 become U+FFFD. */
export function toUtf8Lossy(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** A string with one char (U+0000 to U+00FF) a byte: bytes as a map key. */
export function toBinaryString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function fromBinaryString(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Order of bytes, as strcmp; not constant-time, not for secrets. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
