/**
 * Says of every object in the repository whether it is sound: its CRC, MAC, compression and id. Where the repository's
 * files can be read by other threads, those do all of it, and only what is not sound is read again by this one.
 */
import { ID_SIZE_BYTES, type Repository } from '../../repository/repository.ts';
import type { SealedStretch } from '../../util/sealed.ts';
import type { ObjectSource, ReadObject } from './object-source.ts';

/** How verifying some objects ended, the next ones each time. */
export interface Verified {
  readonly count: number;
  /** By the number of the object, from 0. */
  readonly failures: ReadonlyMap<number, ReadObject>;
}

/** Below this much threads would only cost time. */
const THREADS_FROM_BYTES = 4 * 2 ** 20;
/** How many ids the repository is asked for at a time. */
const PAGE_IDS = 10_000;

/** In the order in which the objects lie in the repository; nothing may be changed meanwhile. */
export async function* verifyObjects(
  repository: Repository,
  objects: ObjectSource,
): AsyncGenerator<Verified, void, undefined> {
  const stretches = repository.scanStretches?.();
  if (stretches !== undefined) {
    yield* verifyStretches(stretches, objects);
    return;
  }
  for await (const read of objects.readAll(pagesInOrder(repository))) {
    yield { count: 1, failures: new Map(isSound(read) ? [] : [[0, read]]) };
  }
}

async function* verifyStretches(
  stretches: AsyncIterable<SealedStretch>,
  objects: ObjectSource,
): AsyncGenerator<Verified, void, undefined> {
  await using verifier = objects.createVerifier();
  const ahead: Promise<Verified>[] = [];
  let sumBytes = 0;
  for await (const stretch of stretches) {
    const { ids, places, file } = stretch;
    const eachId = splitIds(ids);
    const verify = async (): Promise<Verified> => {
      try {
        if (file === undefined || (sumBytes += file.sizeBytes) < THREADS_FROM_BYTES) {
          return await readEach(eachId, eachId.keys(), (id) => objects.read(id));
        }
        const damaged = await verifier.verify({ ids, places, file });
        return await readEach(eachId, damaged, (id) => objects.readAgain(id));
      } finally {
        stretch.release();
      }
    };
    const verified = verify();
    // Awaited in its turn; until then a failure must not count as nobody's.
    verified.catch(() => {});
    ahead.push(verified);
    if (ahead.length >= verifier.capacity) yield await ahead.shift()!;
  }
  yield* ahead;
}

/** Reads those of the objects that have these numbers. */
async function readEach(
  ids: readonly Uint8Array[],
  numbers: Iterable<number>,
  read: (id: Uint8Array) => Promise<ReadObject>,
): Promise<Verified> {
  const failures = new Map<number, ReadObject>();
  for (const number of numbers) {
    const result = await read(ids[number]!);
    if (!isSound(result)) failures.set(number, result);
  }
  return { count: ids.length, failures };
}

function isSound({ readError, openError }: ReadObject): boolean {
  return readError === undefined && openError === undefined;
}

function splitIds(ids: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < ids.length; at += ID_SIZE_BYTES) parts.push(ids.subarray(at, at + ID_SIZE_BYTES));
  return parts;
}

/** All ids in the order in which the objects are stored. */
async function* pagesInOrder(repository: Repository): AsyncGenerator<Uint8Array[], void, undefined> {
  let marker: Uint8Array | undefined;
  for (;;) {
    const page = await repository.scan(PAGE_IDS, marker);
    marker = page.at(-1);
    if (marker === undefined) return;
    yield page;
  }
}
