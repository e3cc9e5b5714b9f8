/** Reads what Python's marshal wrote: the values of a profile, as JavaScript has them; a dict as a list of pairs. */
export function readMarshal(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes);
  const references: unknown[] = [];
  let at = 0;
  const take = (size: number): Buffer => buffer.subarray(at, (at += size));
  const many = (count: number): unknown[] => Array.from({ length: count }, read);

  function read(): unknown {
    const type = take(1)[0]!;
    const place = type & 0x80 ? references.push(undefined) - 1 : -1;
    const value = readBody(String.fromCharCode(type & 0x7f));
    if (place >= 0) references[place] = value;
    return value;
  }

  function readBody(mark: string): unknown {
    switch (mark) {
      case 'N':
        return null;
      case 'T':
        return true;
      case 'F':
        return false;
      case 'i':
        return take(4).readInt32LE();
      case 'l':
        return readLong(take(4).readInt32LE());
      case 'g':
        return take(8).readDoubleLE();
      case 's':
        return take(take(4).readUInt32LE()).toString('hex');
      case 'u':
      case 't':
      case 'a':
      case 'A':
        return take(take(4).readUInt32LE()).toString('utf8');
      case 'z':
      case 'Z':
        return take(take(1)[0]!).toString('latin1');
      case '(':
        return many(take(4).readUInt32LE());
      case ')':
        return many(take(1)[0]!);
      case '{':
        return readPairs();
      case 'r':
        return references[take(4).readUInt32LE()];
      default:
        throw new Error(`unknown mark ${mark}`);
    }
  }

  function readLong(count: number): bigint {
    const digits = Array.from({ length: Math.abs(count) }, () => BigInt(take(2).readUInt16LE()));
    const value = digits.reduceRight((sum, digit) => (sum << 15n) | digit, 0n);
    return count < 0 ? -value : value;
  }

  function readPairs(): [unknown, unknown][] {
    const pairs: [unknown, unknown][] = [];
    while (buffer[at] !== 0x30) pairs.push([read(), read()]);
    at++;
    return pairs;
  }

  const value = read();
  if (at !== buffer.length) throw new Error('bytes after the value');
  return value;
}
