/**
 * Makes the list of archives again, from the archives that are found among all objects.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.rebuild_manifest.
 */
import { MetadataError } from '../../format/metadata-fields.ts';
import { decodeTimestamp } from '../../format/timestamp.ts';
import { SecurityManager } from '../../keys/security-manager.ts';
import { Manifest } from '../manifest.ts';
import type { CheckState } from './check-state.ts';
import { archiveIn, listFound, openFound } from './found-archives.ts';
import { damageText, type ObjectSource } from './object-source.ts';

const PAGE_IDS = 10_000;

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
  for await (const read of objects.readAll(pages(state.chunks.ids()))) {
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

function add(state: CheckState, manifest: Manifest, id: Uint8Array, packed: Uint8Array): void {
  const metadata = openFound(state, id, packed);
  if (metadata === undefined) return;
  state.say('info', `Found archive ${metadata.name}`);
  const name = listFound(state, manifest, id, metadata);
  state.log.foundArchives?.push({ name, id: Uint8Array.from(id) });
}

/** The new manifest has to be newer than all that clients have seen, or they take it for an old one. */
export function lastKnownTimestamp({ ctx, repository }: CheckState): string | undefined {
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
