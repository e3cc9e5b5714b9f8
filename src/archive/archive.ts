/**
 * An archive in the repository: its metadata, its items and their contents.
 *
 * Source: Borg 1.4.5, archive.py, class Archive (load, iter_items).
 */
import { ArchiveDoesNotExist, IntegrityError } from '../errors.ts';
import { type ArchiveMetadata, decodeArchiveMetadata } from '../format/archive-metadata.ts';
import type { ChunkRef, Item } from '../format/item.ts';
import type { ArchiveEntry } from '../format/manifest.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { decodeTimestamp } from '../format/timestamp.ts';
import type { Key } from '../keys/key.ts';
import { toHex } from '../util/bytes.ts';
import { decodeItemBatches } from './item-stream.ts';
import type { ObjectSource } from './object-pages.ts';
import { ObjectReader } from './object-reader.ts';

/** Where archives come from: an opened repository. */
export interface ArchiveSource {
  readonly repository: ObjectSource;
  readonly key: Key;
  readonly manifest: { readonly archives: { get(name: string): ArchiveEntry | undefined } };
}

export interface ArchiveOptions {
  /** Treat parts of files (from checkpoints) as files. Default false. */
  readonly considerPartFiles?: boolean | undefined;
}

export class Archive {
  readonly id: Uint8Array;
  readonly metadata: ArchiveMetadata;
  /** The name by which the manifest knows it; a repair may have made it differ from `metadata.name`. */
  readonly nameInManifest: string;
  /** Whether the metadata carries a tag that proves who wrote it. */
  readonly verified: boolean;
  readonly considerPartFiles: boolean;
  readonly reader: ObjectReader;

  private constructor(
    source: ArchiveSource,
    identity: { id: Uint8Array; nameInManifest: string },
    loaded: { metadata: ArchiveMetadata; verified: boolean },
    options: ArchiveOptions,
  ) {
    this.id = identity.id;
    this.nameInManifest = identity.nameInManifest;
    this.metadata = loaded.metadata;
    this.verified = loaded.verified;
    this.considerPartFiles = options.considerPartFiles ?? false;
    this.reader = new ObjectReader(source.repository, source.key);
  }

  /** Throws ArchiveDoesNotExist, ObjectNotFound, IntegrityError. */
  static async open(source: ArchiveSource, name: string, options: ArchiveOptions = {}): Promise<Archive> {
    const entry = source.manifest.archives.get(name);
    if (entry === undefined) throw new ArchiveDoesNotExist([name]);
    return await Archive.load(source, { name, id: entry.id }, options);
  }

  /** Opens an archive by its id, whether or not the manifest names it. */
  static async load(
    source: ArchiveSource,
    { name, id }: { name: string; id: Uint8Array },
    options: ArchiveOptions = {},
  ): Promise<Archive> {
    const plaintext = await new ObjectReader(source.repository, source.key).read(id);
    return Archive.decode(source, { name, id }, plaintext, options);
  }

  /** An archive whose object has been read. Throws IntegrityError. */
  static decode(
    source: ArchiveSource,
    { name, id }: { name: string; id: Uint8Array },
    plaintext: Uint8Array,
    options: ArchiveOptions = {},
  ): Archive {
    const loaded = decodeMetadata(source.key, id, plaintext);
    return new Archive(source, { id, nameInManifest: name }, loaded, options);
  }

  get name(): string {
    return this.metadata.name;
  }

  /** The id as 64 hex digits. */
  get idHex(): string {
    return toHex(this.id);
  }

  get comment(): string {
    return this.metadata.comment ?? '';
  }

  /** When it was started, ns since 1970. */
  get startNs(): bigint {
    return decodeTimestamp(this.metadata.time);
  }

  get endNs(): bigint {
    return decodeTimestamp(this.metadata.timeEnd || this.metadata.time);
  }

  /** The items in their order; throws an IntegrityError where the metadata is damaged. */
  async *items(): AsyncGenerator<Item, void, undefined> {
    for await (const batch of this.itemBatches()) for (const item of batch) yield item;
  }

  /** As items(), many at a time: for who takes all of them. */
  async *itemBatches(): AsyncGenerator<readonly Item[], void, undefined> {
    for await (const batch of decodeItemBatches(this.reader.readMany(this.metadata.items))) {
      yield this.considerPartFiles ? batch : batch.filter(({ part }) => part === undefined);
    }
  }

  /** The contents of a file, chunk by chunk; throws ObjectNotFound, IntegrityError. */
  contents(chunks: readonly ChunkRef[]): AsyncGenerator<Uint8Array, void, undefined> {
    return this.reader.readMany(chunks.map((chunk) => chunk.id));
  }
}

function decodeMetadata(
  key: Key,
  id: Uint8Array,
  plaintext: Uint8Array,
): { metadata: ArchiveMetadata; verified: boolean } {
  // Archives from before there were tags can still be read; that they need none is said by `verified`.
  const { value, verified } = key.unpackArchive(plaintext, { forceTamNotRequired: true });
  try {
    return { metadata: decodeArchiveMetadata(value), verified };
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    throw new IntegrityError([`archive ${toHex(id)}: ${error.message}`], error);
  }
}
