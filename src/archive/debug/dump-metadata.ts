/**
 * The metadata of a repository and of an archive as it is stored, decoded to JSON: nothing is left out, not even what
 * this program does not know.
 *
 * Source: Borg 1.4.5, archiver.py, do_debug_dump_manifest and do_debug_dump_archive.
 */
import { ArchiveDoesNotExist } from '../../errors.ts';
import { asArray, asId } from '../../format/metadata-fields.ts';
import { unpackMap } from '../../keys/tam.ts';
import type { MsgpackMap, MsgpackValue } from '../../msgpack/value.ts';
import { MANIFEST_ID } from '../../repository/repository.ts';
import { fromUtf8 } from '../../util/bytes.ts';
import { encodeJson, type JsonValue } from '../../util/json-text.ts';
import type { ArchiveSource } from '../archive.ts';
import { unpackStream } from '../item-stream.ts';
import { ObjectReader } from '../object-reader.ts';
import { openObject } from '../repo-object.ts';
import { dumpValue } from './dump-value.ts';

const INDENT = '    ';

/** The manifest, without a line end. */
export async function dumpManifest({ repository, key }: ArchiveSource): Promise<string> {
  const plaintext = openObject(key, undefined, await repository.get(MANIFEST_ID));
  return encodeJson(dumpValue(unpackMap(plaintext, 'manifest')), { indent: INDENT });
}

/**
 * An archive, piece by piece: its entry in the manifest, its metadata, its items.
 *
 * @throws ArchiveDoesNotExist, ObjectNotFound, IntegrityError
 */
export async function* dumpArchive(
  source: ArchiveSource,
  name: string,
): AsyncGenerator<string, void, undefined> {
  const { repository, key, manifest } = source;
  const entry = manifest.archives.get(name);
  if (entry === undefined) throw new ArchiveDoesNotExist([name]);
  const reader = new ObjectReader(repository, key);
  const stored: MsgpackMap = new Map<string, MsgpackValue>([
    ['id', entry.id],
    ['time', fromUtf8(entry.time)],
  ]);
  yield `{\n${INDENT}"_name": ${encodeJson(name)},\n${INDENT}"_manifest_entry":\n${indented(stored)},\n`;
  const metadata = unpackMap(await reader.read(entry.id), 'archive');
  yield `${INDENT}"_meta":\n${indented(metadata)},\n${INDENT}"_items": [\n`;
  const ids = asArray(metadata.get('items'), 'items').map((id) => asId(id, 'items'));
  let separator = '';
  for await (const item of unpackStream(reader.readMany(ids))) {
    yield separator + indented(item);
    separator = ',\n';
  }
  yield `\n${INDENT}]\n}\n`;
}

function indented(value: MsgpackValue): string {
  const json: JsonValue = dumpValue(value);
  return encodeJson(json, { indent: INDENT }).replaceAll(/^/gm, INDENT);
}
