/** A file or a directory as HTTP knows it: what its validators, its type and its size are. */
import { sha256 } from '../../crypto/sha256.ts';
import { isDirectory } from '../../platform/file-stat.ts';
import { fromUtf8 } from '../../util/bytes.ts';
import { contentTypeOf } from './content-type.ts';
import type { Found, ServedTree } from './served-tree.ts';
import type { Validators } from './preconditions.ts';
import { encodeUrlPath } from './url-path.ts';

const NS_PER_S = 1_000_000_000n;
const ETAG_BYTES = 16;

export interface Resource {
  /** By which it was asked for, symbolic links included. */
  readonly names: readonly Uint8Array[];
  readonly found: Found;
  readonly isDirectory: boolean;
  readonly href: string;
  readonly contentType: string;
}

export function resourceAt(names: readonly Uint8Array[], found: Found): Resource {
  const directory = isDirectory(found.attributes.mode);
  return {
    names,
    found,
    isDirectory: directory,
    href: encodeUrlPath(names, directory),
    contentType: directory ? 'httpd/unix-directory' : contentTypeOf(names.at(-1) ?? new Uint8Array(0)),
  };
}

/**
 * An archive never changes: its id and the place in it say which bytes these are, also at the next start of the server.
 * What options do to paths can put another file there, which the size and the time tell.
 */
export function validatorsOf(tree: ServedTree, { path, attributes }: Found, nowNs: bigint): Validators {
  const { sizeBytes, mtimeNs } = attributes;
  const idHex = tree.placeOf(path)?.archive.idHex ?? '';
  const key = fromUtf8(`${idHex} ${sizeBytes} ${mtimeNs} ${encodeUrlPath(path, false)}`);
  const digest = sha256(key).subarray(0, ETAG_BYTES);
  return { etag: `"${Buffer.from(digest).toString('base64url')}"`, modifiedS: modifiedS(mtimeNs, nowNs) };
}

/** What is said to be of tomorrow is said to be of now, as HTTP wants it. */
function modifiedS(mtimeNs: bigint, nowNs: bigint): number {
  return floorSeconds(mtimeNs < nowNs ? mtimeNs : nowNs);
}

export function floorSeconds(timeNs: bigint): number {
  const rest = ((timeNs % NS_PER_S) + NS_PER_S) % NS_PER_S;
  return Number((timeNs - rest) / NS_PER_S);
}
