/** Extended attributes as the kernel wants them: at most what there is room for, or only the size. */
import { fromBinaryString } from '../../util/bytes.ts';
import { FuseFailure } from './fuse-failure.ts';
import { encodeXattrSize } from './reply.ts';

type Xattrs = ReadonlyMap<string, Uint8Array>;

/** Throws ENODATA where there is none of this name, ERANGE where it is too large. */
export function xattrValue(xattrs: Xattrs, name: string, roomBytes: number): Uint8Array {
  const value = xattrs.get(name);
  if (value === undefined) throw new FuseFailure('ENODATA');
  return fit(value, roomBytes);
}

/** Names, each ended by a zero byte. */
export function listXattrs(xattrs: Xattrs, roomBytes: number): Uint8Array {
  let names = '';
  for (const name of xattrs.keys()) names += `${name}\0`;
  return fit(fromBinaryString(names), roomBytes);
}

function fit(bytes: Uint8Array, roomBytes: number): Uint8Array {
  if (roomBytes === 0) return encodeXattrSize(bytes.length);
  if (bytes.length > roomBytes) throw new FuseFailure('ERANGE');
  return bytes;
}
