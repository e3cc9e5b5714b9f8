/**
 * Many archives, one after the other. They are asked for ahead, so that all of them together cost a few round trips to
 * the repository instead of some each.
 */
import { ArchiveDoesNotExist, ObjectNotFound } from '../errors.ts';
import { batches } from '../util/batches.ts';
import { Archive, type ArchiveOptions, type ArchiveSource } from './archive.ts';
import { type Fetched, fetchPages, PAGE_ENTRIES, pagesOfEach, type Wanted } from './object-pages.ts';
import { openObject } from './repo-object.ts';

export interface ObjectSizes {
  readonly sizeBytes: number;
  /** In the repository. */
  readonly csizeBytes: number;
}

/** A chunk of an item stream. */
export interface StreamChunk extends ObjectSizes {
  readonly id: Uint8Array;
  readonly plaintext: Uint8Array;
}

export interface ArchiveStream {
  readonly archive: Archive;
  /** Of the archive's own object. */
  readonly sizes: ObjectSizes;
  /**
   * The archive's item stream, up to the next archive; once only. What is not taken of it is passed over. Throws
   * ObjectNotFound, IntegrityError, DecompressionError.
   */
  readonly chunks: () => AsyncGenerator<StreamChunk, void, undefined>;
}

type Loaded = { readonly archive: Archive; readonly sizes: ObjectSizes };
/** In its turn, an archive that can't be loaded is an error. */
type Place = { readonly loaded: Loaded } | { readonly error: unknown };

/** The archives of these names. Throws, each in its turn, as Archive.open(). */
export async function* openArchives(
  source: ArchiveSource,
  names: Iterable<string>,
  options: ArchiveOptions = {},
): AsyncGenerator<Archive, void, undefined> {
  for await (const place of load(source, names, options)) yield loadedIn(place).archive;
}

/** As openArchives(), with the archives' item streams. */
export async function* archiveStreams(
  source: ArchiveSource,
  names: Iterable<string>,
  options: ArchiveOptions = {},
): AsyncGenerator<ArchiveStream, void, undefined> {
  const pages = pagesOfEach(load(source, names, options), (place) =>
    'loaded' in place ? place.loaded.archive.metadata.items : [],
  );
  const entries = fetchPages(source.repository, pages, isMissing);
  try {
    for (;;) {
      const next = await entries.next();
      if (next.done === true) return;
      const { about } = next.value;
      if (about === undefined) continue;
      const { archive, sizes } = loadedIn(about);
      yield { archive, sizes, chunks: () => chunksOf(source, archive, entries) };
    }
  } finally {
    await entries.return();
  }
}

async function* chunksOf(
  { key }: ArchiveSource,
  { metadata }: Archive,
  entries: AsyncIterator<Fetched<Place | undefined>>,
): AsyncGenerator<StreamChunk, void, undefined> {
  for (const id of metadata.items) {
    const { sealed, error } = (await entries.next()).value!;
    if (sealed === undefined) throw error;
    // Opening may use up its memory.
    const csizeBytes = sealed.length;
    const plaintext = openObject(key, id, sealed);
    yield { id, plaintext, sizeBytes: plaintext.length, csizeBytes };
  }
}

async function* load(
  source: ArchiveSource,
  names: Iterable<string>,
  options: ArchiveOptions,
): AsyncGenerator<Place, void, undefined> {
  for await (const { about: name, id, sealed, error } of fetchPages(
    source.repository,
    archivePages(source, names),
    isMissing,
  )) {
    if (id === undefined) yield { error: new ArchiveDoesNotExist([name]) };
    else if (sealed === undefined) yield { error };
    else yield decode(source, { name, id }, sealed, options);
  }
}

function decode(
  source: ArchiveSource,
  { name, id }: { name: string; id: Uint8Array },
  sealed: Uint8Array,
  options: ArchiveOptions,
): Place {
  const csizeBytes = sealed.length;
  try {
    const plaintext = openObject(source.key, id, sealed);
    const archive = Archive.decode(source, { name, id }, plaintext, options);
    return { loaded: { archive, sizes: { sizeBytes: plaintext.length, csizeBytes } } };
  } catch (error) {
    return { error };
  }
}

function* archivePages(
  { manifest }: ArchiveSource,
  names: Iterable<string>,
): Generator<Wanted<string>[], void, undefined> {
  for (const page of batches(names, PAGE_ENTRIES)) {
    yield page.map((name) => ({ about: name, id: manifest.archives.get(name)?.id }));
  }
}

function loadedIn(place: Place): Loaded {
  if ('error' in place) throw place.error;
  return place.loaded;
}

function isMissing(error: unknown): boolean {
  return error instanceof ObjectNotFound;
}
