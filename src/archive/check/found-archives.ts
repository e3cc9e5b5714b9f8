/**
 * Archives that are found among the objects, and not by the list of archives.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.rebuild_manifest, valid_msgpacked_dict.
 */
import {
  ARCHIVE_KEYS,
  type ArchiveMetadata,
  REQUIRED_ARCHIVE_KEYS,
  decodeArchiveMetadata,
} from '../../format/archive-metadata.ts';
import { MetadataError } from '../../format/metadata-fields.ts';
import { looksLikeMap, packKeys } from '../../format/robust-item-stream.ts';
import { decodeTimestamp } from '../../format/timestamp.ts';
import { asciiOf } from '../../keys/tam.ts';
import { decode } from '../../msgpack/decode.ts';
import { OBJECT_LIMITS } from '../../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackMap } from '../../msgpack/value.ts';
import { toHex } from '../../util/bytes.ts';
import type { Manifest } from '../manifest.ts';
import type { CheckState } from './check-state.ts';
import { isIntegrityError } from './object-source.ts';

const PACKED_ARCHIVE_KEYS = packKeys(ARCHIVE_KEYS);
const CMDLINE = Buffer.from('cmdline');
const VERSION_1 = Buffer.from('\u00a7version\u0001', 'latin1');

/** A copy of the object's contents, if they look like the description of an archive. */
export function archiveIn(plaintext: Uint8Array): Uint8Array | undefined {
  if (!looksLikeMap(plaintext, PACKED_ARCHIVE_KEYS)) return undefined;
  const bytes = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  if (!bytes.includes(CMDLINE) || !bytes.includes(VERSION_1)) return undefined;
  const copy = Uint8Array.from(plaintext);
  try {
    const value = decode(copy, OBJECT_LIMITS);
    if (!(value instanceof Map) || !REQUIRED_ARCHIVE_KEYS.every((name) => value.has(name))) return undefined;
  } catch (error) {
    if (error instanceof MsgpackError) return undefined;
    throw error;
  }
  return copy;
}

/** The archive, if it is authentic and sound; else says why not. */
export function openFound(
  state: CheckState,
  id: Uint8Array,
  packed: Uint8Array,
): ArchiveMetadata | undefined {
  let value: MsgpackMap;
  try {
    ({ value } = state.key.unpackArchive(packed));
  } catch (error) {
    if (!isIntegrityError(error)) throw error;
    // Someone made it who has no key; or a program so old that it did not authenticate archives: see "upgrade".
    const name = nameOf(decode(packed, OBJECT_LIMITS) as MsgpackMap);
    state.fail(`Archive TAM authentication issue for archive ${name}: ${error.message}`);
    state.fail('This archive will *not* be added to the rebuilt manifest! It will be deleted.');
    state.damage.archives.push({ name, id: Uint8Array.from(id), problem: 'unauthenticated' });
    return undefined;
  }
  try {
    const metadata = decodeArchiveMetadata(value);
    decodeTimestamp(metadata.time);
    return metadata;
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    state.fail(`Skipping corrupted chunk: archive ${toHex(id)}: ${error.message}`);
    return undefined;
  }
}

/** Puts the archive into the list; gives the name that it has there. */
export function listFound(
  state: CheckState,
  manifest: Manifest,
  id: Uint8Array,
  { name: wanted, time }: ArchiveMetadata,
): string {
  const name = freeName(manifest, wanted);
  if (name !== wanted) state.say('warning', `Duplicate archive name ${wanted}, storing as ${name}`);
  manifest.archives.set(name, { id: Uint8Array.from(id), time });
  return name;
}

function nameOf(archive: MsgpackMap): string {
  const name = archive.get('name');
  return name instanceof Uint8Array ? asciiOf(name) : '<unknown>';
}

function freeName({ archives }: Manifest, name: string): string {
  if (!archives.has(name)) return name;
  let number = 1;
  while (archives.has(`${name}.${number}`)) number += 1;
  return `${name}.${number}`;
}
