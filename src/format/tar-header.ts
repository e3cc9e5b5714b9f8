/**
 * The header of a member of a tar: one block.
 *
 * | offset | size | field         | encoding                                                     |
 * |--------|------|---------------|--------------------------------------------------------------|
 * | 0      | 100  | name          | bytes up to a NUL                                            |
 * | 100    | 8    | mode          | number, see tar-number.ts                                    |
 * | 108    | 8    | uid           | number                                                       |
 * | 116    | 8    | gid           | number                                                       |
 * | 124    | 12   | size          | number: bytes behind the header, without padding             |
 * | 136    | 12   | mtime         | number: seconds since 1970                                   |
 * | 148    | 8    | checksum      | number: sum of all bytes, these 8 taken for blanks           |
 * | 156    | 1    | type          | see TAR_TYPE                                                 |
 * | 157    | 100  | linkname      | as name                                                      |
 * | 257    | 8    | magic         | `ustar\0` `00`, or, of GNU, `ustar  \0`                       |
 * | 265    | 32   | user          | as name                                                      |
 * | 297    | 32   | group         | as name                                                      |
 * | 329    | 8    | device, major | number                                                       |
 * | 337    | 8    | device, minor | number                                                       |
 * | 345    | 155  | prefix        | as name: what stands before the name and a slash; not of GNU |
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format"; Python 3.14, tarfile.py, TarInfo._frombuf and _create_header.
 */
import { concatBytes, fromBinaryString, toBinaryString } from '../util/bytes.ts';
import { decodeTarNumber, encodeTarNumber, TarFormatError } from './tar-number.ts';

export const BLOCK_BYTES = 512;
/** A tar ends with zeros up to a multiple of this. */
export const RECORD_BYTES = 20 * BLOCK_BYTES;

export const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const OWNER_BYTES = 32;

export const TAR_TYPE = {
  file: '0',
  /** The same, from before POSIX. */
  oldFile: '\0',
  link: '1',
  symlink: '2',
  characterDevice: '3',
  blockDevice: '4',
  directory: '5',
  fifo: '6',
  contiguousFile: '7',
  paxHeader: 'x',
  globalPaxHeader: 'g',
  solarisPaxHeader: 'X',
  gnuLongName: 'L',
  gnuLongLink: 'K',
  gnuSparse: 'S',
} as const;

const MAGIC = { posix: 'ustar\x0000', gnu: 'ustar  \0' } as const;

export interface TarHeader {
  readonly name: Uint8Array;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly sizeBytes: bigint;
  readonly mtimeS: bigint;
  /** One character. */
  readonly type: string;
  readonly linkName: Uint8Array;
  readonly user: Uint8Array;
  readonly group: Uint8Array;
  readonly deviceMajor: bigint;
  readonly deviceMinor: bigint;
}

/** Whether the block is all zeros: the end of a tar. */
export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** @throws TarFormatError */
export function decodeTarHeader(block: Uint8Array): TarHeader {
  if (block.length !== BLOCK_BYTES) throw new TarFormatError(`a header of ${block.length} bytes`);
  const checksum = decodeTarNumber(block.subarray(148, 156), 'the checksum');
  if (!checksums(block).includes(Number(checksum))) throw new TarFormatError('bad checksum');
  const type = toBinaryString(block.subarray(156, 157));
  // Where others have a prefix, GNU's old format has times and the map of a sparse file.
  const isGnu = toBinaryString(block.subarray(257, 265)) === MAGIC.gnu || type === TAR_TYPE.gnuSparse;
  const prefix = isGnu ? new Uint8Array(0) : textField(block, 345, PREFIX_BYTES);
  const name = textField(block, 0, NAME_BYTES);
  return {
    name: prefix.length === 0 ? name : concatBytes([prefix, fromBinaryString('/'), name]),
    mode: decodeTarNumber(block.subarray(100, 108), 'the mode'),
    uid: decodeTarNumber(block.subarray(108, 116), 'the user id'),
    gid: decodeTarNumber(block.subarray(116, 124), 'the group id'),
    sizeBytes: decodeTarNumber(block.subarray(124, 136), 'the size'),
    mtimeS: decodeTarNumber(block.subarray(136, 148), 'the time'),
    type,
    linkName: textField(block, 157, NAME_BYTES),
    user: textField(block, 265, OWNER_BYTES),
    group: textField(block, 297, OWNER_BYTES),
    deviceMajor: decodeTarNumber(block.subarray(329, 337), 'the device number'),
    deviceMinor: decodeTarNumber(block.subarray(337, 345), 'the device number'),
  };
}

/**
 * Text is cut off where its field ends. Device numbers are written for devices only.
 *
 * @throws TarFormatError where a number has no room
 */
export function encodeTarHeader(
  header: TarHeader,
  format: 'gnu' | 'posix',
  longNumbers: boolean,
): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (offset: number, sizeBytes: number, value: bigint): void =>
    block.set(encodeTarNumber(value, sizeBytes, longNumbers), offset);
  block.set(header.name.subarray(0, NAME_BYTES));
  put(100, 8, header.mode & 0o7777n);
  put(108, 8, header.uid);
  put(116, 8, header.gid);
  put(124, 12, header.sizeBytes);
  put(136, 12, header.mtimeS);
  block.set(fromBinaryString(header.type), 156);
  block.set(header.linkName.subarray(0, NAME_BYTES), 157);
  block.set(fromBinaryString(MAGIC[format]), 257);
  block.set(header.user.subarray(0, OWNER_BYTES), 265);
  block.set(header.group.subarray(0, OWNER_BYTES), 297);
  if (header.type === TAR_TYPE.characterDevice || header.type === TAR_TYPE.blockDevice) {
    put(329, 8, header.deviceMajor);
    put(337, 8, header.deviceMinor);
  }
  const [checksum] = checksums(block);
  block.set(fromBinaryString(`${checksum.toString(8).padStart(6, '0')}\0 `), 148);
  return block;
}

const NO_BYTES = new Uint8Array(0);

/** A member that says something about the next one: its contents follow, padded to blocks. */
export function encodeTarExtension(
  name: string,
  type: string,
  contents: Uint8Array,
  format: 'gnu' | 'posix',
): Uint8Array {
  const header: TarHeader = {
    name: fromBinaryString(name),
    mode: 0n,
    uid: 0n,
    gid: 0n,
    sizeBytes: BigInt(contents.length),
    mtimeS: 0n,
    type,
    linkName: NO_BYTES,
    user: NO_BYTES,
    group: NO_BYTES,
    deviceMajor: 0n,
    deviceMinor: 0n,
  };
  const padding = new Uint8Array(paddingBytes(contents.length));
  return concatBytes([encodeTarHeader(header, format, false), contents, padding]);
}

/** How many zeros follow contents of this size. */
export function paddingBytes(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** The sum of the bytes, and the one of some old programs, for which bytes have signs. */
function checksums(block: Uint8Array): [unsigned: number, signed: number] {
  let unsigned = 0;
  let high = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : block[at]!;
    unsigned += byte;
    if (byte >= 0x80) high += 1;
  }
  return [unsigned, unsigned - 256 * high];
}

function textField(block: Uint8Array, offset: number, sizeBytes: number): Uint8Array {
  return untilNul(block.subarray(offset, offset + sizeBytes));
}

/** A copy of the bytes before the first NUL. */
export function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return new Uint8Array(bytes.subarray(0, end < 0 ? bytes.length : end));
}
