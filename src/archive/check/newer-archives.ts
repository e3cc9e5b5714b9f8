/**
 * If the repository loses the list of archives, and with it what made the list before void, then that one is the list
 * again: an old one. The archives that are newer than it look like objects that nothing refers to, which a repair
 * deletes; so they are looked for first. Beyond Borg.
 */
import { type ArchiveMetadata, decodeArchiveMetadata } from '../../format/archive-metadata.ts';
import { MetadataError } from '../../format/metadata-fields.ts';
import { decodeTimestamp } from '../../format/timestamp.ts';
import { MANIFEST_ID } from '../../repository/repository.ts';
import type { SelectedArchive } from '../archive-selection.ts';
import type { Manifest } from '../manifest.ts';
import type { CheckState } from './check-state.ts';
import { archiveIn, listFound } from './found-archives.ts';
import { isIntegrityError, type ObjectSource } from './object-source.ts';
import { lastKnownTimestamp } from './rebuild-manifest.ts';

const PAGE_IDS = 10_000;

/**
 * Reads what nothing refers to after all archives of the list were gone through, and puts the archives among it that are
 * newer than the list into it. An older one was deleted, and only its deletion was lost.
 */
export async function findNewerArchives(
  state: CheckState,
  manifest: Manifest,
  objects: ObjectSource,
): Promise<SelectedArchive[]> {
  const found: { id: Uint8Array; metadata: ArchiveMetadata }[] = [];
  let isNewer: ((nonceEnd: bigint | undefined, metadata: ArchiveMetadata) => boolean) | undefined;
  for await (const { id, plaintext, nonceEnd } of objects.readAll(unreferenced(state))) {
    state.ctx.signal.throwIfAborted();
    const packed = plaintext === undefined ? undefined : archiveIn(plaintext);
    if (packed === undefined) continue;
    const metadata = authentic(state, packed);
    if (metadata === undefined) continue;
    isNewer ??= await comparison(state, manifest, objects);
    if (isNewer(nonceEnd, metadata)) found.push({ id: Uint8Array.from(id), metadata });
  }
  return found.map(({ id, metadata }) => {
    const doing = state.mode === 'repair' ? 'It is put back.' : 'It would be put back with --repair.';
    state.fail(`Archive ${metadata.name} is missing in the list of archives, which is older. ${doing}`);
    const name = listFound(state, manifest, id, metadata);
    state.log.newerArchives.push({ name, id });
    return { name, id, timeNs: decodeTimestamp(metadata.time) };
  });
}

/** Undefined for what somebody without the key may have made. */
function authentic({ key }: CheckState, packed: Uint8Array): ArchiveMetadata | undefined {
  try {
    const metadata = decodeArchiveMetadata(key.unpackArchive(packed).value);
    return nsOf(metadata.time) === undefined ? undefined : metadata;
  } catch (error) {
    if (error instanceof MetadataError || isIntegrityError(error)) return undefined;
    throw error;
  }
}

/** What was encrypted last has the highest nonce; else times have to tell. */
async function comparison(
  state: CheckState,
  manifest: Manifest,
  objects: ObjectSource,
): Promise<(nonceEnd: bigint | undefined, metadata: ArchiveMetadata) => boolean> {
  const known = lastKnownTimestamp(state);
  const written = nsOf(manifest.timestamp);
  // This client has seen a newer list: whatever it had, this one does not know of it.
  if (known !== undefined && written !== undefined && decodeTimestamp(known) > written) return () => true;
  if (state.key.material.cipher !== 'none') {
    const { nonceEnd: listed = 0n } = await objects.read(MANIFEST_ID);
    return (nonceEnd = 0n) => nonceEnd > listed;
  }
  return (_, { time, timeEnd }) => {
    const made = nsOf(timeEnd ?? time);
    return made !== undefined && written !== undefined && made > written;
  };
}

function nsOf(timestamp: string): bigint | undefined {
  try {
    return decodeTimestamp(timestamp);
  } catch (error) {
    if (error instanceof MetadataError) return undefined;
    throw error;
  }
}

function* unreferenced({ chunks, superseded }: CheckState): Generator<Uint8Array[]> {
  let page: Uint8Array[] = [];
  for (const id of chunks.unreferencedIds()) {
    if (superseded.has(id)) continue;
    if (page.push(id) < PAGE_IDS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
