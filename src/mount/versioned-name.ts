/**
 * The name of a file's contents in the versions view: the number of the version stands before the extension, so that
 * programs know the file by it.
 *
 * Source: Borg 1.4.5, fuse.py, make_versioned_name; Python, os.path.splitext.
 */
import { concatBytes, fromUtf8 } from '../util/bytes.ts';

const DOT = 0x2e;
const DIGITS = 5;

/** E.g. `notes.txt` of version 3: `notes.00003.txt`. Dots at the start of a name begin no extension. */
export function versionedName(name: Uint8Array, version: number): Uint8Array {
  const dot = name.lastIndexOf(DOT);
  const isExtension = dot > 0 && name.subarray(0, dot).some((byte) => byte !== DOT);
  const base = isExtension ? name.subarray(0, dot) : name;
  const number = fromUtf8(`.${String(version).padStart(DIGITS, '0')}`);
  return concatBytes([base, number, name.subarray(base.length)]);
}
