/**
 * What the kernel asks. Every message begins with a header of 40 bytes, integers as the processor has them:
 *
 * | offset | size | field         |                                                                   |
 * | ------ | ---- | ------------- | ----------------------------------------------------------------- |
 * | 0      | 4    | len           | of the message, with the header                                   |
 * | 4      | 4    | opcode        | what the body is                                                  |
 * | 8      | 8    | unique        | number of the request, which the reply repeats                    |
 * | 16     | 8    | nodeid        | the inode, 1 for the root                                         |
 * | 24     | 4    | uid           | who asks                                                          |
 * | 28     | 4    | gid           |                                                                   |
 * | 32     | 4    | pid           |                                                                   |
 * | 36     | 2    | total_extlen  | of extensions at the end, in units of 8 bytes; padding before 7.38 |
 * | 38     | 2    | padding       |                                                                   |
 *
 * Bodies, from offset 40 on:
 *
 * | request         | offset, size, field                                                                    |
 * | --------------- | -------------------------------------------------------------------------------------- |
 * | LOOKUP          | 0 name, ended by a zero byte                                                           |
 * | OPEN            | 0 4 flags (those of open(2)), 4 4 open_flags                                           |
 * | READ, READDIR…  | 0 8 fh, 8 8 offset, 16 4 size, 20 4 read_flags, 24 8 lock_owner, 32 4 flags, 36 4 pad  |
 * | RELEASE         | 0 8 fh, 8 4 flags, 12 4 release_flags, 16 8 lock_owner                                 |
 * | GETXATTR        | 0 4 size, 4 4 padding, 8 name, ended by a zero byte                                    |
 * | LISTXATTR       | 0 4 size, 4 4 padding                                                                  |
 * | INTERRUPT       | 0 8 unique of the request that nobody waits for any more                               |
 * | INIT            | 0 4 major, 4 4 minor, 8 4 max_readahead, 12 4 flags, and from 7.36 on more that we leave |
 *
 * Source: Linux, include/uapi/linux/fuse.h, fuse_in_header and fuse_*_in.
 */
import { littleEndian } from '../../platform/linux.ts';
import { getInteger64 } from './integer64.ts';

export const REQUEST_HEADER_BYTES = 40;
const MAX_NAME_BYTES = 1024;

/** The kernel's message is not one: too short, or with a length that is another. */
export class FuseMessageError extends Error {
  override readonly name = 'FuseMessageError';
}

/** One request; the body is a part of the message, and as short-lived. */
export interface FuseRequest {
  readonly opcode: number;
  readonly unique: number;
  readonly inode: number;
  readonly uid: number;
  readonly pid: number;
  readonly body: DataView;
}

/** Throws a FuseMessageError. */
export function decodeRequest(message: Uint8Array): FuseRequest {
  const { length } = message;
  if (length < REQUEST_HEADER_BYTES) throw new FuseMessageError(`a FUSE request of ${length} bytes`);
  const view = new DataView(message.buffer, message.byteOffset, length);
  const stated = view.getUint32(0, littleEndian);
  if (stated !== length) {
    throw new FuseMessageError(`a FUSE request of ${length} bytes that says ${stated}`);
  }
  return {
    opcode: view.getUint32(4, littleEndian),
    unique: exactInteger(view, 8),
    inode: getInteger64(view, 16),
    uid: view.getUint32(24, littleEndian),
    pid: view.getUint32(32, littleEndian),
    body: new DataView(
      message.buffer,
      message.byteOffset + REQUEST_HEADER_BYTES,
      length - REQUEST_HEADER_BYTES,
    ),
  };
}

/** Throws a FuseMessageError, as all of these do. */
export function decodeLookup(body: DataView): Uint8Array {
  return nameAt(body, 0);
}

export function decodeOpen(body: DataView): { readonly flags: number } {
  need(body, 8);
  return { flags: body.getUint32(0, littleEndian) };
}

export interface ReadRequest {
  readonly handle: number;
  /** In a file: bytes. In a directory: the `offset` of the last entry that was taken. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export function decodeRead(body: DataView): ReadRequest {
  need(body, 40);
  return {
    handle: getInteger64(body, 0),
    offset: getInteger64(body, 8),
    sizeBytes: body.getUint32(16, littleEndian),
  };
}

export function decodeRelease(body: DataView): { readonly handle: number } {
  need(body, 24);
  return { handle: getInteger64(body, 0) };
}

/** How much the asker has room for; 0 if only the size is wanted. */
export function decodeGetXattr(body: DataView): { readonly roomBytes: number; readonly name: Uint8Array } {
  need(body, 8);
  return { roomBytes: body.getUint32(0, littleEndian), name: nameAt(body, 8) };
}

export function decodeListXattr(body: DataView): { readonly roomBytes: number } {
  need(body, 8);
  return { roomBytes: body.getUint32(0, littleEndian) };
}

export function decodeInterrupt(body: DataView): { readonly unique: number } {
  need(body, 8);
  return { unique: exactInteger(body, 0) };
}

export interface InitRequest {
  readonly major: number;
  readonly minor: number;
  readonly maxReadaheadBytes: number;
  readonly flags: number;
}

export function decodeInit(body: DataView): InitRequest {
  need(body, 8);
  const major = body.getUint32(0, littleEndian);
  const minor = body.getUint32(4, littleEndian);
  // Those before 7.6 say no more.
  if (body.byteLength < 16) return { major, minor, maxReadaheadBytes: 0, flags: 0 };
  return {
    major,
    minor,
    maxReadaheadBytes: body.getUint32(8, littleEndian),
    flags: body.getUint32(12, littleEndian),
  };
}

function need(body: DataView, bytes: number): void {
  if (body.byteLength < bytes) {
    throw new FuseMessageError(`a FUSE request with ${body.byteLength} of ${bytes} bytes`);
  }
}

/** Up to its zero byte; a view of the message. */
function nameAt(body: DataView, offset: number): Uint8Array {
  const bytes = new Uint8Array(body.buffer, body.byteOffset + offset, Math.max(body.byteLength - offset, 0));
  const end = bytes.indexOf(0);
  if (end < 1 || end > MAX_NAME_BYTES) throw new FuseMessageError('a FUSE request without a name');
  return bytes.subarray(0, end);
}

function exactInteger(view: DataView, offset: number): number {
  const value = getInteger64(view, offset);
  if (!Number.isSafeInteger(value)) throw new FuseMessageError(`a FUSE request numbered ${value}`);
  return value;
}
