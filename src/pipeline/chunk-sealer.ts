/** Turns chunks of files into sealed objects: ids, compression, encryption, MACs. */
import type { Chunk } from '../chunker/chunk-source.ts';
import { type Compressor, createCompressor } from '../compress/compressor.ts';
import type { CompressionSpec } from '../compress/compression-spec.ts';
import { addMacs, encryptEnvelopeInto, envelopeNonceBlocks, envelopeSizeBytes } from '../crypto/envelope.ts';
import { idHash, idHashes } from '../crypto/id-hash.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import type { PipelineChunk } from './file-job.ts';
import type { CuttingOptions } from './file-reader.ts';
import { NonceRange } from './nonce-range.ts';
import { RecentIds } from './recent-ids.ts';

/** What turning files into sealed chunks needs to know; plain data. */
export interface SealingOptions extends CuttingOptions {
  readonly material: KeyMaterial;
  readonly compression: CompressionSpec;
}

/** What a sealer asks of the thread that it runs in. */
export interface SealerHost {
  /** Whether the repository has the chunk. */
  isKnown(id: Uint8Array): boolean;
  leaseNonces(blocks: number): bigint;
  /** Memory for a chunk's id and the envelope that follows it, if any; may wait until there is room. */
  reserve(sizeBytes: number): Uint8Array;
  /** Only the beginning of what was reserved last is wanted. */
  shorten(sizeBytes: number): void;
  /** Throws where the work is to stop. */
  checkStopped(): void;
}

const ID_BYTES = 32;
/** Sizes of zero chunks whose ids are remembered; as many as Borg remembers. */
const ZERO_IDS = 10;

interface ToSeal {
  /** In its place already, where the compressor can do that. */
  readonly payload: Uint8Array;
  /** The rest of the payload, which is not. */
  readonly rest?: Uint8Array;
  /** For id and envelope. */
  readonly place: Uint8Array;
}

/** Source: Borg 1.4.5, archive.py, cached_hash. */
export class ChunkSealer {
  readonly #material: KeyMaterial;
  readonly #compressor: Compressor;
  readonly #host: SealerHost;
  readonly #nonces: NonceRange;
  readonly #zeroIds = new Map<number, Uint8Array>();
  /** Of chunks sealed last: they are not sealed again, though the index may not have them yet. */
  readonly #recentIds = new RecentIds();
  /** Envelopes without MACs. */
  #incomplete: Uint8Array[] = [];

  /** Call initCrypto() first. */
  constructor({ material, compression }: Omit<SealingOptions, keyof CuttingOptions>, host: SealerHost) {
    this.#material = material;
    this.#compressor = createCompressor(compression);
    this.#host = host;
    this.#nonces = new NonceRange((blocks) => host.leaseNonces(blocks));
  }

  /** The ids of the chunks: of many at once in less time than of each by itself. */
  idsOf(chunks: readonly Chunk[]): Uint8Array[] {
    const datas: Uint8Array[] = [];
    for (const { kind, data } of chunks) if (kind === 'data') datas.push(data);
    const ids = idHashes(this.#material, datas);
    let next = 0;
    return chunks.map(({ kind, sizeBytes }) => (kind === 'data' ? ids[next++]! : this.#zeroId(sizeBytes)));
  }

  /**
   * The chunk's envelope, where the repository has none (or always), behind its id in the memory reserved last. Nobody may
   * be given it before complete().
   */
  seal({ sizeBytes, kind, data }: Chunk, id: Uint8Array, sealAll: boolean): PipelineChunk {
    this.#host.checkStopped();
    if (!sealAll && this.#isKnown(id)) {
      this.#host.reserve(ID_BYTES).set(id);
      return { id, sizeBytes, kind };
    }
    const { payload, rest, place } = this.#compress(kind === 'data' ? data : new Uint8Array(sizeBytes));
    place.set(id);
    const sealed = place.subarray(ID_BYTES);
    const encrypted = this.#material.cipher !== 'none';
    const blocks = envelopeNonceBlocks(payload.length + (rest?.length ?? 0));
    const nonce = encrypted ? this.#nonces.take(blocks) : 0n;
    encryptEnvelopeInto(this.#material, nonce, payload, sealed, rest);
    this.#incomplete.push(sealed);
    return { id, sizeBytes, kind, sealed };
  }

  /** Completes all envelopes that were made so far. */
  complete(): void {
    addMacs(this.#material, this.#incomplete);
    this.#incomplete = [];
  }

  #compress(data: Uint8Array): ToSeal {
    const placeBytes = (payloadBytes: number) => ID_BYTES + envelopeSizeBytes(this.#material, payloadBytes);
    const { placing } = this.#compressor;
    if (placing === undefined) {
      const payload = this.#compressor.compressTransient(data);
      return { payload, place: this.#host.reserve(placeBytes(payload.length)) };
    }
    const room = this.#host.reserve(placeBytes(placing.roomBytes(data.length)));
    const { placed, rest } = placing.compressInto(data, room.subarray(placeBytes(0)));
    const place = room.subarray(0, placeBytes(placed.length + rest.length));
    this.#host.shorten(place.length);
    return { payload: placed, rest, place };
  }

  #zeroId(sizeBytes: number): Uint8Array {
    let id = this.#zeroIds.get(sizeBytes);
    if (id === undefined) {
      id = idHash(this.#material, new Uint8Array(sizeBytes));
      if (this.#zeroIds.size >= ZERO_IDS) {
        const [oldest] = this.#zeroIds.keys();
        this.#zeroIds.delete(oldest!);
      }
      this.#zeroIds.set(sizeBytes, id);
    }
    return id;
  }

  /** Whether the repository has the chunk, or is about to have it from here; if not, it now is. */
  #isKnown(id: Uint8Array): boolean {
    return this.#host.isKnown(id) || this.#recentIds.remember(id);
  }
}
