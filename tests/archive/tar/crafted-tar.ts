/** Tars made block by block, for tests. */
import { encodePaxRecords } from '../../../src/format/pax-records.ts';
import {
  encodeTarExtension,
  encodeTarHeader,
  paddingBytes,
  TAR_TYPE,
  type TarHeader,
} from '../../../src/format/tar-header.ts';
import { concatBytes, fromUtf8 } from '../../../src/util/bytes.ts';

export const END = new Uint8Array(1024);

export interface MemberSpec extends Partial<Omit<TarHeader, 'name'>> {
  readonly contents?: string | Uint8Array;
}

/** Header, contents and padding. The size is that of the contents where none is given. */
export function member(name: string, { contents = '', ...fields }: MemberSpec = {}): Uint8Array {
  const data = typeof contents === 'string' ? fromUtf8(contents) : contents;
  const header: TarHeader = {
    name: fromUtf8(name),
    mode: 0o644n,
    uid: 0n,
    gid: 0n,
    sizeBytes: BigInt(data.length),
    mtimeS: 1000n,
    type: TAR_TYPE.file,
    linkName: new Uint8Array(0),
    user: fromUtf8('anna'),
    group: new Uint8Array(0),
    deviceMajor: 0n,
    deviceMinor: 0n,
    ...fields,
  };
  return concatBytes([
    encodeTarHeader(header, 'posix', true),
    data,
    new Uint8Array(paddingBytes(data.length)),
  ]);
}

export function paxHeader(
  records: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
  type: string = TAR_TYPE.paxHeader,
): Uint8Array {
  const list = pairsOf(records).map(([keyword, value]) => ({ keyword, value: fromUtf8(value) }));
  return encodeTarExtension('././@PaxHeader', type, encodePaxRecords(list), 'posix');
}

export function longName(name: string, type: string = TAR_TYPE.gnuLongName): Uint8Array {
  return encodeTarExtension('././@LongLink', type, fromUtf8(`${name}\0`), 'gnu');
}

const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;

function pairsOf(
  records: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  return Array.isArray(records)
    ? (records as readonly (readonly [string, string])[])
    : Object.entries(records);
}

/** A header of the old GNU format for sparse files: entries of offset and size, the file's size. */
export function sparseHeader(
  name: string,
  entries: readonly (readonly [number, number])[],
  fileSize: number,
  storedBytes: number,
): Uint8Array {
  const block = Buffer.from(member(name, { sizeBytes: BigInt(storedBytes), type: TAR_TYPE.gnuSparse }));
  block.write(entries.flat().map(octal).join(''), 386, 'latin1');
  block.write(octal(fileSize), 483, 'latin1');
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

export function tar(...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(parts);
}
