/** The kernel's side of the protocol: builds requests and reads replies, written on its own from fuse.h. */
import { endianness } from 'node:os';

const LE = endianness() === 'LE';

export type Field = [size: 1 | 2 | 4 | 8, value: number | bigint] | string | Uint8Array;

/** Fields one after the other; a string is ended by a zero byte. */
export function pack(...fields: readonly Field[]): Uint8Array {
  const parts = fields.map((field) => {
    if (typeof field === 'string') return Buffer.from(`${field}\0`);
    if (field instanceof Uint8Array) return field;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(field[1])));
    const cut = bytes.subarray(0, field[0]);
    return LE ? cut : Buffer.from(Uint8Array.from(cut).toReversed());
  });
  return Buffer.concat(parts);
}

export interface Asked {
  opcode: number;
  unique?: number | bigint;
  inode?: number | bigint;
  uid?: number;
}

export function request(
  { opcode, unique = 1, inode = 1, uid = 0 }: Asked,
  ...body: readonly Field[]
): Uint8Array {
  const rest = pack(...body);
  return pack(
    [4, 40 + rest.length],
    [4, opcode],
    [8, unique],
    [8, inode],
    [4, uid],
    [4, 0],
    [4, 7],
    [4, 0],
    rest,
  );
}

export interface Reply {
  unique: number;
  /** Negative errno. */
  error: number;
  body: Buffer;
}

/** Checks what the kernel checks of each reply. */
export function readReply(parts: readonly Uint8Array[]): Reply {
  const bytes = Buffer.concat(parts);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stated = view.getUint32(0, LE);
  const error = view.getInt32(4, LE);
  if (stated !== bytes.length) throw new Error(`a reply of ${bytes.length} bytes that says ${stated}`);
  if (error > 0 || error < -1000 || (error !== 0 && bytes.length > 16)) throw new Error(`error ${error}`);
  return { unique: Number(view.getBigUint64(8, LE)), error, body: bytes.subarray(16) };
}

/** An unsigned integer of a body. */
export function field(body: Uint8Array, offset: number, size: 2 | 4 | 8): bigint {
  const cut = Buffer.from(body.subarray(offset, offset + size));
  const ordered = Buffer.from(LE ? Uint8Array.from(cut).toReversed() : cut);
  return BigInt(`0x${ordered.toString('hex')}`);
}

export interface Dirent {
  inode: number;
  offset: number;
  type: number;
  name: string;
  /** Of READDIRPLUS: the inode that it comes with, 0 for none. */
  node?: number;
}

export function readListing(body: Uint8Array, plus: boolean): Dirent[] {
  const found: Dirent[] = [];
  for (let at = 0; at < body.length;) {
    const node = plus ? { node: Number(field(body, at, 8)) } : {};
    if (plus) at += 128;
    const length = Number(field(body, at + 16, 4));
    found.push({
      inode: Number(field(body, at, 8)),
      offset: Number(field(body, at + 8, 8)),
      type: Number(field(body, at + 20, 4)),
      name: Buffer.from(body.subarray(at + 24, at + 24 + length)).toString('latin1'),
      ...node,
    });
    at += Math.ceil((24 + length) / 8) * 8;
  }
  return found;
}
