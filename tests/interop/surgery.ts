/** Damages a repository in ways that accidents and attackers do, with the key where they would need it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Archive } from '../../src/archive/archive.ts';
import { openSession, type Session } from '../../src/archive/session.ts';
import { createCompressor } from '../../src/compress/compressor.ts';
import { encodeArchiveMetadata, type ArchiveMetadata } from '../../src/format/archive-metadata.ts';
import type { ChunkRef, Item } from '../../src/format/item.ts';
import { encodeItem } from '../../src/format/item.ts';
import { Location } from '../../src/format/location.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackMap } from '../../src/msgpack/value.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { concatBytes, toHex, toUtf8Lossy } from '../../src/util/bytes.ts';
import type { Context } from '../../src/util/context.ts';
import { SilentReporter } from '../../src/util/reporter.ts';

export const PASSPHRASE = 'twins';

const lz4 = createCompressor({ name: 'lz4' });

class Consenting extends SilentReporter {
  override ask(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

function contextAt(folder: string): Context {
  return {
    env: { BORG_BASE_DIR: join(folder, 'home'), BORG_PASSPHRASE: PASSPHRASE },
    cwd: folder,
    reporter: new Consenting(),
    signal: new AbortController().signal,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
    readPassphrase: () => Promise.resolve(undefined),
  };
}

/** An open repository, `repo` in a folder with a `home`. What is done to it is committed at the end. */
export class Surgery {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async on(folder: string, work: (surgery: Surgery) => Promise<void>): Promise<void> {
    const ctx = contextAt(folder);
    await using session = await openSession(ctx, Location.parse(join(folder, 'repo')), {
      operations: ['read', 'write', 'delete'],
      exclusive: true,
      secure: false,
    });
    await work(new Surgery(session));
    await session.repository.commit({ compact: false });
  }

  async metadata(archive: string): Promise<ArchiveMetadata> {
    return (await Archive.open(this.#session, archive)).metadata;
  }

  archiveId(archive: string): Uint8Array {
    return this.#session.manifest.archives.get(archive)!.id;
  }

  async items(archive: string): Promise<Item[]> {
    return await Array.fromAsync((await Archive.open(this.#session, archive)).items());
  }

  async chunks(archive: string, path: string): Promise<ChunkRef[]> {
    const item = (await this.items(archive)).find((one) => toUtf8Lossy(one.path) === path);
    return item!.chunks!;
  }

  async remove(id: Uint8Array): Promise<void> {
    await this.#session.repository.delete(id);
  }

  /** Changes a bit of the sealed object, in its last byte. */
  async flip(id: Uint8Array): Promise<void> {
    const sealed = await this.#session.repository.get(id);
    sealed[sealed.length - 1]! ^= 1;
    await this.#session.repository.put(id, sealed);
  }

  /** Puts other contents in the place of an object, sealed as they should be. */
  async exchange(id: Uint8Array, plaintext: Uint8Array): Promise<void> {
    await this.exchangeCompressed(id, lz4.compress(plaintext));
  }

  /** Puts what a compressor would have made in the place of an object, sealed as it should be. */
  async exchangeCompressed(id: Uint8Array, compressed: Uint8Array): Promise<void> {
    await this.replace(id, await this.#session.key.seal(compressed));
  }

  /** Puts these bytes in the place of an object. */
  async replace(id: Uint8Array, sealed: Uint8Array): Promise<void> {
    await this.#session.repository.put(id, sealed);
  }

  /** Stores an object, and gives its id. */
  async store(plaintext: Uint8Array): Promise<Uint8Array> {
    const id = this.#session.key.idHash(plaintext);
    await this.exchange(id, plaintext);
    return id;
  }

  /** Has the manifest name this archive, whatever it is. */
  async list(archive: string, id: Uint8Array | undefined): Promise<void> {
    const { archives } = this.#session.manifest;
    if (id === undefined) archives.delete(archive);
    else archives.set(archive, { id, time: archives.get(archive)?.time ?? '2024-01-01T00:00:00.000000' });
    await this.#session.manifest.write();
  }

  /** The archive's items again, with what `change` makes of the packed ones. */
  async rewriteItems(
    archive: string,
    change: (packed: Uint8Array[], items: Item[]) => readonly Uint8Array[],
  ): Promise<void> {
    const items = await this.items(archive);
    const changed = concatBytes([...change(items.map(encodeItem), items)]);
    const ids: Uint8Array[] = [];
    for (let at = 0; at < changed.length; at += 50_000) {
      ids.push(await this.store(changed.subarray(at, at + 50_000)));
    }
    const old = await this.metadata(archive);
    const kept = new Set(ids.map(toHex));
    for (const id of old.items) if (!kept.has(toHex(id))) await this.remove(id);
    const metadata = { ...old, items: ids };
    const packed = this.#session.key.packAuthenticated(encodeArchiveMetadata(metadata), 'archive');
    await this.#replace(archive, packed);
  }

  /** The archive's description again, packed by `pack`. */
  async rewriteMetadata(
    archive: string,
    pack: (metadata: MsgpackMap, seal: (map: MsgpackMap) => Uint8Array) => Uint8Array,
  ): Promise<void> {
    const map = encodeArchiveMetadata(await this.metadata(archive));
    const packed = pack(map, (one) => this.#session.key.packAuthenticated(one, 'archive'));
    await this.#replace(archive, packed);
  }

  async #replace(archive: string, packed: Uint8Array): Promise<void> {
    await this.remove(this.archiveId(archive));
    await this.list(archive, await this.store(packed));
  }

  /** The manifest without its authentication. */
  async forgeManifest(): Promise<void> {
    await this.rewriteManifest(encode);
  }

  /** The manifest again, of a later time, packed by `pack`. */
  async rewriteManifest(
    pack: (manifest: MsgpackMap, seal: (map: MsgpackMap) => Uint8Array) => Uint8Array,
  ): Promise<void> {
    const archives = new Map(
      [...this.#session.manifest.archives].map(([name, { id, time }]): [string, MsgpackMap] => [
        name,
        new Map<string, Uint8Array | string>([
          ['id', id],
          ['time', time],
        ]),
      ]),
    );
    const map: MsgpackMap = new Map<string, MsgpackMap | string | number | string[]>([
      ['archives', archives],
      ['config', new Map()],
      ['item_keys', [...this.#session.manifest.itemKeys]],
      ['timestamp', '2030-01-01T00:00:00.000000'],
      ['version', 1],
    ]);
    const packed = pack(map, (one) => this.#session.key.packAuthenticated(one, 'manifest'));
    await this.exchange(MANIFEST_ID, packed);
  }
}

/** Changes bytes of a file of the repository. */
export function damageFile(path: string, change: (bytes: Buffer) => Uint8Array): void {
  writeFileSync(path, change(readFileSync(path)));
}
