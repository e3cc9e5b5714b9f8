/**
 * What the kernel is told of a file, in two shapes: 88 bytes in most replies,
 *
 * | offset | size | field     |     | offset | size | field     |
 * | ------ | ---- | --------- | --- | ------ | ---- | --------- |
 * | 0      | 8    | ino       |     | 56     | 4    | ctimensec |
 * | 8      | 8    | size      |     | 60     | 4    | mode      |
 * | 16     | 8    | blocks    |     | 64     | 4    | nlink     |
 * | 24     | 8    | atime (s) |     | 68     | 4    | uid       |
 * | 32     | 8    | mtime (s) |     | 72     | 4    | gid       |
 * | 40     | 8    | ctime (s) |     | 76     | 4    | rdev      |
 * | 48     | 4    | atimensec |     | 80     | 4    | blksize   |
 * | 52     | 4    | mtimensec |     | 84     | 4    | flags     |
 *
 * and 256 bytes behind 32 (0 8 attr_valid in s, 8 4 the same in ns, 12 4 flags) in the reply to STATX, where a time is 8
 * bytes of seconds, 4 of ns and 4 that are zero:
 *
 * | offset | size | field           |     | offset | size | field |
 * | ------ | ---- | --------------- | --- | ------ | ---- | ----- |
 * | 0      | 4    | mask            |     | 40     | 8    | size  |
 * | 4      | 4    | blksize         |     | 48     | 8    | blocks |
 * | 16     | 4    | nlink           |     | 64     | 16   | atime |
 * | 20     | 4    | uid             |     | 80     | 16   | btime |
 * | 24     | 4    | gid             |     | 96     | 16   | ctime |
 * | 28     | 2    | mode            |     | 112    | 16   | mtime |
 * | 32     | 8    | ino             |     | 128    | 4, 4 | rdev: major, minor |
 *
 * Blocks are of 512 bytes, as many as the size takes: what a hole is, archives don't say.
 *
 * Source: Linux, include/uapi/linux/fuse.h, fuse_attr, fuse_statx_out; Borg 1.4.5, fuse.py, _getattr.
 */
import { deviceNumbers, littleEndian } from '../../platform/linux.ts';
import type { VfsAttributes } from '../vfs.ts';
import { setInteger64 } from './integer64.ts';

export const ATTRIBUTES_BYTES = 88;
const STATX_REPLY_BYTES = 32 + 256;
const BLOCK_BYTES = 512;
const NS_PER_SECOND = 1_000_000_000n;

/** All that stat() gives. */
const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;

/** Writes 88 bytes into what is zero. */
export function encodeAttributes(view: DataView, offset: number, attributes: VfsAttributes): void {
  const { sizeBytes } = attributes;
  setInteger64(view, offset, attributes.inode);
  setInteger64(view, offset + 8, sizeBytes);
  setInteger64(view, offset + 16, blocksOf(sizeBytes));
  setTime(view, offset + 24, offset + 48, attributes.atimeNs);
  setTime(view, offset + 32, offset + 52, attributes.mtimeNs);
  setTime(view, offset + 40, offset + 56, attributes.ctimeNs);
  view.setUint32(offset + 60, attributes.mode, littleEndian);
  view.setUint32(offset + 64, attributes.nlink, littleEndian);
  view.setUint32(offset + 68, attributes.uid, littleEndian);
  view.setUint32(offset + 72, attributes.gid, littleEndian);
  // The lower half has 12 bits of the major and 20 of the minor number: all that the kernel knows.
  view.setUint32(offset + 76, attributes.rdev % 2 ** 32, littleEndian);
  view.setUint32(offset + 80, BLOCK_BYTES, littleEndian);
}

/** The whole body of the reply. The time of birth is told where the archive has one. */
export function encodeStatx(attributes: VfsAttributes, validSeconds: number): Uint8Array {
  const body = new Uint8Array(STATX_REPLY_BYTES);
  const reply = new DataView(body.buffer);
  setInteger64(reply, 0, validSeconds);
  const view = new DataView(body.buffer, 32);
  const { sizeBytes, birthtimeNs } = attributes;
  const wasBorn = birthtimeNs !== attributes.mtimeNs;
  view.setUint32(0, STATX_BASIC_STATS | (wasBorn ? STATX_BTIME : 0), littleEndian);
  view.setUint32(4, BLOCK_BYTES, littleEndian);
  view.setUint32(16, attributes.nlink, littleEndian);
  view.setUint32(20, attributes.uid, littleEndian);
  view.setUint32(24, attributes.gid, littleEndian);
  view.setUint16(28, attributes.mode, littleEndian);
  setInteger64(view, 32, attributes.inode);
  setInteger64(view, 40, sizeBytes);
  setInteger64(view, 48, blocksOf(sizeBytes));
  setTime(view, 64, 72, attributes.atimeNs);
  if (wasBorn) setTime(view, 80, 88, birthtimeNs);
  setTime(view, 96, 104, attributes.ctimeNs);
  setTime(view, 112, 120, attributes.mtimeNs);
  const { major, minor } = deviceNumbers(BigInt(attributes.rdev));
  view.setUint32(128, major, littleEndian);
  view.setUint32(132, minor, littleEndian);
  return body;
}

function blocksOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES);
}

/** Before 1970 the seconds are negative and the ns still count up. */
function setTime(view: DataView, secondsAt: number, nsAt: number, timeNs: bigint): void {
  let seconds = timeNs / NS_PER_SECOND;
  let ns = timeNs - seconds * NS_PER_SECOND;
  if (ns < 0n) {
    seconds -= 1n;
    ns += NS_PER_SECOND;
  }
  view.setBigInt64(secondsAt, seconds, littleEndian);
  view.setUint32(nsAt, Number(ns), littleEndian);
}
