/** `repr(bytes)` of Python: `b'text\n\x00'`. */
export function reprBytes(bytes: Uint8Array): string {
  const isQuoted = bytes.includes(0x27) && !bytes.includes(0x22);
  const quote = isQuoted ? '"' : "'";
  let body = '';
  for (const byte of bytes) body += byte === 0x27 && isQuoted ? "'" : BYTE_TEXTS[byte]!;
  return `b${quote}${body}${quote}`;
}

const escapes: Readonly<Record<number, string>> = {
  0x09: '\\t',
  0x0a: '\\n',
  0x0d: '\\r',
  0x27: "\\'",
  0x5c: '\\\\',
};

const BYTE_TEXTS = Array.from({ length: 256 }, (_, byte) => {
  const isPrintable = byte >= 0x20 && byte < 0x7f;
  return (
    escapes[byte] ?? (isPrintable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)
  );
});
