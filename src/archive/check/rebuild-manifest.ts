/**
 * Makes the list of archives again, from the archives that are found among all objects.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.rebuild_manifest, valid_msgpacked_dict.
 */
import { ARCHIVE_KEYS, REQUIRED_ARCHIVE_KEYS, decodeArchiveMetadata } from '../../format/archive-metadata.ts';
import { MetadataError } from '../../format/metadata-fields.ts';
import { looksLikeMap, packKeys } from '../../format/robust-item-stream.ts';
import { decodeTimestamp } from '../../format/timestamp.ts';
import { SecurityManager } from '../../keys/security-manager.ts';
import { asciiOf } from '../../keys/tam.ts';
import { decode } from '../../msgpack/decode.ts';
import { OBJECT_LIMITS } from '../../msgpack/unpacker.ts';
import { MsgpackError, type MsgpackMap } from '../../msgpack/value.ts';
import { toHex } from '../../util/bytes.ts';
import { Manifest } from '../manifest.ts';
import type { CheckState } from './check-state.ts';
import { damageText, isIntegrityError, type ObjectSource } from './object-source.ts';

const PAGE_IDS = 10_000;
const PACKED_ARCHIVE_KEYS = packKeys(ARCHIVE_KEYS);
const CMDLINE = Buffer.from('cmdline');
const VERSION_1 = Buffer.from('\u00a7version\u0001', 'latin1');

/** The new manifest, which is not written yet. */
export async function rebuildManifest(state: CheckState, objects: ObjectSource): Promise<Manifest> {
  state.say('info', 'Rebuilding missing manifest, this might take some time...');
  const { ctx, repository, key } = state;
  const manifest = Manifest.create(ctx, repository, key, { after: lastKnownTimestamp(state) });
  state.log.foundArchives = [];
  const progress = ctx.reporter.percent(
    'check.rebuild_manifest',
    'Rebuilding manifest %6.2f%%',
    state.chunks.size,
  );
  let nonceEnd = 0n;
  for await (const read of objects.readAll(pages(state.chunks.table.keys()))) {
    ctx.signal.throwIfAborted();
    progress.advance();
    if (read.plaintext === undefined) {
      state.fail(`Skipping corrupted chunk: ${damageText(read.openError ?? read.readError)}`);
      state.damage.addDamagedChunk(read.id);
      continue;
    }
    if (read.nonceEnd !== undefined && read.nonceEnd > nonceEnd) nonceEnd = read.nonceEnd;
    const packed = archiveIn(read.plaintext);
    if (packed !== undefined) add(state, manifest, read.id, packed);
  }
  // With the manifest, the mark of the last nonce is lost.
  key.avoidNoncesBelow(nonceEnd);
  progress.finish();
  state.say('info', 'Manifest rebuild complete.');
  if (state.mode !== 'repair') {
    state.say('warning', 'The rebuilt manifest will only be committed when using --repair!');
  }
  return manifest;
}

/** A copy of the object's contents, if they look like the description of an archive. */
function archiveIn(plaintext: Uint8Array): Uint8Array | undefined {
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

function add(state: CheckState, manifest: Manifest, id: Uint8Array, packed: Uint8Array): void {
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
    return;
  }
  try {
    const metadata = decodeArchiveMetadata(value);
    decodeTimestamp(metadata.time);
    state.say('info', `Found archive ${metadata.name}`);
    const name = freeName(manifest, metadata.name);
    if (name !== metadata.name) {
      state.say('warning', `Duplicate archive name ${metadata.name}, storing as ${name}`);
    }
    manifest.archives.set(name, { id: Uint8Array.from(id), time: metadata.time });
    state.log.foundArchives?.push({ name, id: Uint8Array.from(id) });
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    state.fail(`Skipping corrupted chunk: archive ${toHex(id)}: ${error.message}`);
  }
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

/** The new manifest has to be newer than all that clients have seen, or they take it for an old one. */
function lastKnownTimestamp({ ctx, repository }: CheckState): string | undefined {
  const timestamp = new SecurityManager(ctx, repository).rememberedTimestamp;
  try {
    if (timestamp !== undefined) decodeTimestamp(timestamp);
    return timestamp;
  } catch (error) {
    if (error instanceof MetadataError) return undefined;
    throw error;
  }
}

function* pages(ids: Iterable<Uint8Array>): Generator<Uint8Array[]> {
  let page: Uint8Array[] = [];
  for (const id of ids) {
    if (page.push(id) < PAGE_IDS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
