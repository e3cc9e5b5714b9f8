/**
 * What the kernel is told. Every reply begins with a header of 16 bytes, integers as the processor has them:
 *
 * | offset | size | field  |                                        |
 * | ------ | ---- | ------ | -------------------------------------- |
 * | 0      | 4    | len    | of the reply, with the header          |
 * | 4      | 4    | error  | 0, or an errno, negative; then no body |
 * | 8      | 8    | unique | number of the request                  |
 *
 * Bodies:
 *
 * | reply     | bytes | offset, size, field                                                                         |
 * | --------- | ----- | ------------------------------------------------------------------------------------------- |
 * | INIT      | 64    | 0 4 major, 4 4 minor, 8 4 max_readahead, 12 4 flags, 16 2 max_background,                    |
 * |           |       | 18 2 congestion_threshold, 20 4 max_write, 24 4 time_gran (ns), 28 2 max_pages               |
 * | LOOKUP    | 128   | 0 8 nodeid, 8 8 generation, 16 8 entry_valid (s), 24 8 attr_valid (s), 32 4 and 36 4 the same |
 * |           |       | in ns, 40 88 attributes                                                                     |
 * | GETATTR   | 104   | 0 8 attr_valid (s), 8 4 the same in ns, 16 88 attributes                                    |
 * | OPEN      | 16    | 0 8 fh, 8 4 open_flags                                                                      |
 * | STATFS    | 80    | 0 8 blocks, 24 8 files, 40 4 bsize, 44 4 namelen, 48 4 frsize                               |
 * | xattrs    | 8     | 0 4 size, where only that is wanted                                                         |
 *
 * Source: Linux, include/uapi/linux/fuse.h, fuse_out_header and fuse_*_out.
 */
import { littleEndian } from '../../platform/linux.ts';
import type { VfsAttributes, VfsStatistics } from '../vfs.ts';
import { ATTRIBUTES_BYTES, encodeAttributes, encodeStatx } from './attributes.ts';
import { setInteger64 } from './integer64.ts';

const HEADER_BYTES = 16;
const ENTRY_BYTES = 40 + ATTRIBUTES_BYTES;

/** How long the kernel may believe what it was told: nothing changes as long as it is mounted. */
const VALID_SECONDS = 30 * 24 * 3600;

/** `errno` is positive. */
export function encodeHeader(unique: number, errno: number, bodyBytes: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, HEADER_BYTES + bodyBytes, littleEndian);
  view.setInt32(4, -errno, littleEndian);
  setInteger64(view, 8, unique);
  return header;
}

export interface InitReply {
  readonly major: number;
  readonly minor: number;
  readonly maxReadaheadBytes: number;
  readonly flags: number;
  /** Requests that the kernel makes of itself, such as reading ahead, at once. */
  readonly maxBackground: number;
  readonly maxWriteBytes: number;
  readonly maxPages: number;
}

export function encodeInit(reply: InitReply): Uint8Array {
  const [body, view] = fresh(64);
  view.setUint32(0, reply.major, littleEndian);
  view.setUint32(4, reply.minor, littleEndian);
  view.setUint32(8, reply.maxReadaheadBytes, littleEndian);
  view.setUint32(12, reply.flags, littleEndian);
  view.setUint16(16, reply.maxBackground, littleEndian);
  view.setUint16(18, Math.floor((reply.maxBackground * 3) / 4), littleEndian);
  view.setUint32(20, reply.maxWriteBytes, littleEndian);
  view.setUint32(24, 1, littleEndian);
  view.setUint16(28, reply.maxPages, littleEndian);
  return body;
}

/** Of a name; undefined: there is none, which the kernel may remember, too. */
export function encodeEntry(attributes: VfsAttributes | undefined): Uint8Array {
  const [body, view] = fresh(ENTRY_BYTES);
  writeEntry(view, 0, attributes);
  return body;
}

/** `encodeEntry` where it stands before a name in a directory; `view` is zero there. */
export function writeEntry(view: DataView, offset: number, attributes: VfsAttributes | undefined): void {
  view.setBigUint64(offset + 16, BigInt(VALID_SECONDS), littleEndian);
  if (attributes === undefined) return;
  setInteger64(view, offset, attributes.inode);
  view.setBigUint64(offset + 24, BigInt(VALID_SECONDS), littleEndian);
  encodeAttributes(view, offset + 40, attributes);
}

export function encodeAttributesReply(attributes: VfsAttributes): Uint8Array {
  const [body, view] = fresh(16 + ATTRIBUTES_BYTES);
  view.setBigUint64(0, BigInt(VALID_SECONDS), littleEndian);
  encodeAttributes(view, 16, attributes);
  return body;
}

export function encodeStatxReply(attributes: VfsAttributes): Uint8Array {
  return encodeStatx(attributes, VALID_SECONDS);
}

export function encodeOpen(handle: number, flags: number): Uint8Array {
  const [body, view] = fresh(16);
  setInteger64(view, 0, handle);
  view.setUint32(8, flags, littleEndian);
  return body;
}

export function encodeStatistics({ blocks, files, ...sizes }: VfsStatistics): Uint8Array {
  const [body, view] = fresh(80);
  setInteger64(view, 0, blocks);
  setInteger64(view, 24, files);
  view.setUint32(40, sizes.blockSizeBytes, littleEndian);
  view.setUint32(44, sizes.maxNameBytes, littleEndian);
  view.setUint32(48, sizes.blockSizeBytes, littleEndian);
  return body;
}

export function encodeXattrSize(sizeBytes: number): Uint8Array {
  const [body, view] = fresh(8);
  view.setUint32(0, sizeBytes, littleEndian);
  return body;
}

function fresh(bytes: number): [Uint8Array, DataView] {
  const body = new Uint8Array(bytes);
  return [body, new DataView(body.buffer)];
}
