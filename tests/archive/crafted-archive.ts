/** Archives made of any items at all, also such as no backup makes, in a repository that is a map. */
import { parseCompression } from '../../src/compress/compression-spec.ts';
import { createCompressor } from '../../src/compress/compressor.ts';
import { initCrypto } from '../../src/crypto/init-crypto.ts';
import { ObjectNotFound } from '../../src/errors.ts';
import { Archive } from '../../src/archive/archive.ts';
import { sealObject } from '../../src/archive/repo-object.ts';
import { type ArchiveMetadata, encodeArchiveMetadata } from '../../src/format/archive-metadata.ts';
import { type ChunkRef, encodeItem, type Item } from '../../src/format/item.ts';
import { Key } from '../../src/keys/key.ts';
import { KEY_TYPES } from '../../src/keys/key-type.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { concatBytes, fromUtf8, toHex } from '../../src/util/bytes.ts';
import type { Context } from '../../src/util/context.ts';
import { SilentReporter } from '../../src/util/reporter.ts';

const REGULAR = 0o100644;

export interface Crafted {
  readonly archive: Archive;
  readonly source: {
    repository: Repository;
    key: Key;
    manifest: { archives: Map<string, { id: Uint8Array; time: string }> };
  };
  /** Sealed objects by id in hex; tests may damage them. */
  readonly objects: Map<string, Uint8Array>;
}

/** A builder of one archive in an unencrypted repository. */
export class ArchiveCrafter {
  readonly objects = new Map<string, Uint8Array>();
  readonly #key: Key;
  readonly #items: Uint8Array[] = [];

  private constructor(key: Key) {
    this.#key = key;
  }

  static async create(ctx: Context): Promise<ArchiveCrafter> {
    await initCrypto();
    const empty = new Uint8Array(0);
    const type = KEY_TYPES.find((one) => one.argName === 'none')!;
    const key = new Key(ctx, {
      type,
      material: {
        typeByte: type.typeByte,
        cipher: 'none',
        mac: 'none',
        idHash: 'sha256',
        encKey: empty,
        encHmacKey: empty,
        idKey: empty,
      },
      repositoryId: new Uint8Array(32),
      location: 'crafted',
      chunkSeed: 0,
      tamRequired: false,
      logicallyEncrypted: false,
      target: 'crafted',
      nonces: undefined,
    });
    return new ArchiveCrafter(key);
  }

  async chunk(data: Uint8Array): Promise<ChunkRef> {
    const { id, sealed } = await this.#put(data);
    return { id, size: data.length, csize: sealed.length };
  }

  add(item: Partial<Omit<Item, 'path' | 'source'>> & { path: string; source?: string }): this {
    const { path, source, ...rest } = item;
    const made: Item = {
      mode: REGULAR,
      uid: process.getuid!(),
      gid: process.getgid!(),
      mtimeNs: 1n,
      ...rest,
      path: fromUtf8(path),
    };
    if (source !== undefined) made.source = fromUtf8(source);
    this.#items.push(encodeItem(made));
    return this;
  }

  async addFile(path: string, ...contents: string[]): Promise<this> {
    const chunks: ChunkRef[] = [];
    for (const part of contents) chunks.push(await this.chunk(fromUtf8(part)));
    return this.add({ path, chunks, size: chunks.reduce((sum, chunk) => sum + chunk.size, 0) });
  }

  /** Raw bytes in the stream of items. */
  addBytes(bytes: Uint8Array): this {
    this.#items.push(bytes);
    return this;
  }

  async finish(
    metadata: Partial<ArchiveMetadata> = {},
    alter: (packed: Uint8Array) => Uint8Array = (packed) => packed,
  ): Promise<Crafted> {
    const stream = concatBytes(this.#items);
    const items: Uint8Array[] = [];
    // Cut anywhere: items reach over the ends of chunks.
    for (let at = 0; at < stream.length; at += 100)
      items.push((await this.#put(stream.subarray(at, at + 100))).id);
    const data: ArchiveMetadata = {
      version: 1,
      name: 'crafted',
      items,
      cmdline: ['borg', 'create', 'a b'],
      time: '2024-02-29T12:00:00.000000',
      timeEnd: '2024-02-29T12:00:01.500000',
      hostname: 'host',
      username: 'anne',
      comment: 'über',
      ...metadata,
    };
    const packed = this.#key.packAuthenticated(encodeArchiveMetadata(data), 'archive');
    const { id } = await this.#put(alter(packed));
    const archives = new Map([['crafted', { id, time: data.time }]]);
    const source = { repository: mapRepository(this.objects), key: this.#key, manifest: { archives } };
    return { archive: await Archive.open(source, 'crafted'), source, objects: this.objects };
  }

  async #put(data: Uint8Array): Promise<{ id: Uint8Array; sealed: Uint8Array }> {
    const object = await sealObject(this.#key, createCompressor(parseCompression('none')), data);
    this.objects.set(toHex(object.id), object.sealed);
    return object;
  }
}

export function testContext(cwd: string): Context & { reporter: SilentReporter } {
  return {
    env: {},
    cwd,
    reporter: new SilentReporter(),
    signal: new AbortController().signal,
    nowNs: () => 0n,
    readPassphrase: () => Promise.resolve(undefined),
  };
}

function mapRepository(objects: ReadonlyMap<string, Uint8Array>): Repository {
  const get = (id: Uint8Array): Uint8Array => {
    const sealed = objects.get(toHex(id));
    if (sealed === undefined) throw new ObjectNotFound([toHex(id), 'crafted']);
    return sealed;
  };
  return {
    get: (id: Uint8Array) => Promise.resolve().then(() => get(id)),
    async *getMany(ids: Iterable<Uint8Array>) {
      for (const id of ids) yield get(id).slice();
    },
  } as unknown as Repository;
}
