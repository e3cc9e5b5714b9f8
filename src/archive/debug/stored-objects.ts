/**
 * The objects of a repository as they lie there, opened, without the help of a manifest: any object tells the kind of
 * key that seals them all.
 *
 * Source: Borg 1.4.5, archiver.py, do_debug_dump_repo_objs; repository.py, scan_low_level.
 */
import { GeneralError } from '../../errors.ts';
import { TAG_COMMIT, TAG_PUT } from '../../format/segment.ts';
import type { Key } from '../../keys/key.ts';
import { loadKey } from '../../keys/load-key.ts';
import { MANIFEST_ID, type Repository } from '../../repository/repository.ts';
import type { ScanLimits } from '../../repository/scan.ts';
import type { SegmentRepository } from '../../repository/segment-repository.ts';
import { equalBytes } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { openObject } from '../repo-object.ts';

export interface StoredObject {
  readonly id: Uint8Array;
  readonly plaintext: Uint8Array;
}

/** An entry of the log. A DELETE has no plaintext, a COMMIT no id either. */
export interface LoggedObject {
  readonly segment: number;
  readonly offset: number;
  readonly tag: 'put' | 'del' | 'commit';
  readonly id: Uint8Array | undefined;
  readonly plaintext: Uint8Array;
}

const SCAN_LIMIT = 100_000;
const NO_BYTES = new Uint8Array(0);

/** All objects that the index knows, in the order of the log. Throws where one is damaged, or there is none. */
export async function* storedObjects(
  ctx: Context,
  repository: Repository,
): AsyncGenerator<StoredObject, void, undefined> {
  const [first] = await repository.list(1);
  if (first === undefined) throw new GeneralError(['The repository has no objects.']);
  const key = await loadKey(ctx, repository, await repository.get(first));
  for (let ids = await repository.scan(SCAN_LIMIT); ids.length > 0;) {
    let next = 0;
    for await (const sealed of repository.getMany(ids)) {
      ctx.signal.throwIfAborted();
      const id = ids[next++]!;
      yield { id, plaintext: open(key, id, sealed) };
    }
    ids = await repository.scan(SCAN_LIMIT, ids.at(-1));
  }
}

/**
 * All entries of the log (each valid until the next), also void and uncommitted ones; of one segment only, or, with `offset`, the one entry there.
 * What is damaged is said and left out. Throws where a sound entry can't be opened.
 */
export async function* loggedObjects(
  ctx: Context,
  repository: SegmentRepository,
  place: ScanLimits = {},
): AsyncGenerator<LoggedObject, void, undefined> {
  const key = await keyOfLog(ctx, repository);
  for (const entry of repository.scanLog(place)) {
    ctx.signal.throwIfAborted();
    if (entry.damage !== undefined) {
      const path = `${repository.store.root}/${repository.log.files.path(entry.segment)}`;
      const text = `Segment ${entry.segment} (${path}) has IntegrityError(s) [${entry.damage.message}] - skipping.`;
      ctx.reporter.log('error', text, { logger: 'borg.repository' });
      continue;
    }
    if (!('tag' in entry)) continue;
    const at = { segment: entry.segment, offset: entry.offset };
    if (entry.tag === TAG_COMMIT) yield { ...at, tag: 'commit', id: undefined, plaintext: NO_BYTES };
    else if (entry.tag === TAG_PUT) {
      yield { ...at, tag: 'put', id: entry.key, plaintext: open(key!, entry.key, entry.data) };
    } else yield { ...at, tag: 'del', id: entry.key, plaintext: NO_BYTES };
  }
}

/** Undefined where the log has no object at all. */
async function keyOfLog(ctx: Context, repository: SegmentRepository): Promise<Key | undefined> {
  for (const entry of repository.scanLog()) {
    if (!('tag' in entry) || entry.tag !== TAG_PUT || entry.damage !== undefined) continue;
    return loadKey(ctx, repository, Uint8Array.from(entry.data));
  }
  return undefined;
}

function open(key: Key, id: Uint8Array, sealed: Uint8Array): Uint8Array {
  return openObject(key, equalBytes(id, MANIFEST_ID) ? undefined : id, sealed);
}
