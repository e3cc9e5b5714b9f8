import type { Chunk, ChunkSource } from '../chunker/chunk-source.ts';
import { type Chunker, createChunker } from '../chunker/chunker.ts';
import type { ChunkerParams } from '../chunker/chunker-params.ts';
import type { CompressionSpec } from '../compress/compression-spec.ts';
import { type Compressor, createCompressor } from '../compress/compressor.ts';
import { envelopeNonceBlocks, envelopeSizeBytes, sealEnvelopeInto } from '../crypto/envelope.ts';
import { idHash } from '../crypto/id-hash.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { getAcls } from '../platform/acl.ts';
import { flagsOf } from '../platform/bsd-flags.ts';
import { type FileStat, fstat, isBlockDevice, isRegular } from '../platform/file-stat.ts';
import { closeFile, openRead } from '../platform/open-file.ts';
import { OsError, isOsError } from '../platform/os-error.ts';
import { forgetCached, readFile, readFileAt, seekFile, waitReadable } from '../platform/read-file.ts';
import { readXattrs } from '../platform/xattr.ts';
import type { FileJob, FileResult, PipelineChunk } from './file-job.ts';
import { type FileSection, SectionCutOff, sectionSource } from './file-section.ts';
import { NonceRange } from './nonce-range.ts';
import { RecentIds } from './recent-ids.ts';

/** What turning files into sealed chunks needs to know; plain data. */
export interface ProcessorOptions {
  readonly material: KeyMaterial;
  readonly compression: CompressionSpec;
  readonly chunkerParams: ChunkerParams;
  readonly chunkSeed: number;
}

/** What the processor asks of the thread that it runs in. */
export interface ProcessorHost {
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

const TYPE_MASK = 0o170000;
const ID_BYTES = 32;
/** Sizes of zero chunks whose ids are remembered; as many as Borg remembers. */
const ZERO_IDS = 10;
/** How long a pipe that says nothing keeps us from looking whether to stop. */
const PIPE_WAIT_MS = 200;
/** Files below this size stay in the page cache: forgetting them costs more than it frees. */
const FORGET_FROM_BYTES = 2 ** 20;

/** The file is another than it was. */
class FileRace extends Error {
  readonly what: 'file type' | 'file inode';

  constructor(what: 'file type' | 'file inode') {
    super(what);
    this.what = what;
  }
}

/** What is known of a file so far. */
export type GrowingResult = { -readonly [Key in keyof FileResult]: FileResult[Key] };

export function newResult(): GrowingResult {
  return { sizeBytes: 0, flags: 0 };
}

/**
 * Turns files into sealed chunks, one file at a time, all in one thread.
 *
 * Source: Borg 1.4.5, archive.py, FilesystemObjectProcessors.process_file and cached_hash.
 */
export class FileProcessor {
  readonly #material: KeyMaterial;
  readonly #chunker: Chunker;
  readonly #compressor: Compressor;
  readonly #host: ProcessorHost;
  readonly #nonces: NonceRange;
  readonly #zeroIds = new Map<number, Uint8Array>();
  /** Of chunks sealed last: they are not sealed again, though the index may not have them yet. */
  readonly #recentIds = new RecentIds();

  /** Call initCrypto() first. */
  constructor(options: ProcessorOptions, host: ProcessorHost) {
    this.#material = options.material;
    this.#chunker = createChunker(options.chunkerParams, options.chunkSeed);
    this.#compressor = createCompressor(options.compression);
    this.#host = host;
    this.#nonces = new NonceRange((blocks) => host.leaseNonces(blocks));
  }

  /**
   * Gives the file's chunks, each in the memory reserved last, valid until the next; in `result` is what became of the file
   * when there are no more. Throws only what is not the file's fault.
   */
  *process(job: FileJob, result: GrowingResult): Generator<PipelineChunk> {
    let fd = job.fd;
    // What an error of the system comes from.
    let operation = 'open';
    try {
      fd ??= openRead(job.path, { noFollow: !job.followSymlinks, noAtime: true }, job.at);
      operation = 'fstat';
      const stat = job.opened ?? (result.stat = openedStat(job, fd));
      if (job.contents ?? true) {
        operation = 'read';
        const source =
          job.section === undefined ? this.#sourceOf(fd, stat) : this.#sectionOf(fd, job.section);
        for (const chunk of this.#chunker.chunks(source, { sparse: job.sparse ?? false })) {
          this.#host.checkStopped();
          result.sizeBytes += chunk.sizeBytes;
          yield this.#seal(chunk, job.sealAll ?? false);
        }
        operation = 'fstat2';
        result.statAfter = fstat(fd);
      }
      if (job.flags) {
        operation = 'extended stat (flags)';
        result.flags = flagsOf(fd, result.statAfter ?? result.stat ?? fstat(fd));
      }
      if (job.xattrs) {
        operation = 'extended stat (xattrs)';
        const { xattrs, warnings } = readXattrs(fd, job.path);
        if (xattrs.size > 0) result.xattrs = xattrs;
        if (warnings.length > 0) result.xattrWarnings = warnings;
      }
      if (job.acls) {
        operation = 'extended stat (ACLs)';
        const acls = getAcls(fd, stat.mode, { numericIds: job.numericIds ?? false });
        if (acls.aclAccess !== undefined || acls.aclDefault !== undefined) result.acls = acls;
      }
    } catch (error) {
      if (error instanceof SectionCutOff) result.missingBytes = error.missingBytes;
      else if (error instanceof FileRace) result.error = { kind: 'race', what: error.what };
      else if (isOsError(error)) result.error = { kind: 'os', operation, cause: causeOf(error, operation) };
      else throw error;
    } finally {
      if (fd !== undefined && (job.fd === undefined || job.closeFd)) closeFile(fd);
    }
  }

  #sourceOf(fd: number, stat: Pick<FileStat, 'mode' | 'sizeBytes'>): ChunkSource {
    const regular = isRegular(stat.mode);
    if (!regular && !isBlockDevice(stat.mode)) return { read: (into) => this.#readNext(fd, into) };
    const forget = !regular || stat.sizeBytes >= FORGET_FROM_BYTES;
    let position = 0;
    let atEnd = false;
    return {
      read: (into) => {
        if (atEnd) return 0;
        const size = readFile(fd, into);
        if (forget && size > 0) forgetCached(fd, position, size);
        position += size;
        // Less than there was room for, and all that the file had when it was opened: no need to ask for more.
        atEnd = regular && size < into.length && position === stat.sizeBytes;
        return size;
      },
      seek: (offset, whence) => {
        const reached = seekFile(fd, offset, whence);
        position = reached ?? position;
        atEnd = false;
        return reached;
      },
    };
  }

  #sectionOf(fd: number, section: FileSection): ChunkSource {
    const { bytes, offsetBytes } = section;
    return sectionSource(section, (into, storedOffset) => {
      if (bytes !== undefined) {
        const piece = bytes.subarray(storedOffset, storedOffset + into.length);
        into.set(piece);
        return piece.length;
      }
      if (offsetBytes === undefined) return this.#readNext(fd, into);
      return readFileAt(fd, into, offsetBytes + storedOffset);
    });
  }

  /** From a descriptor that may have nothing yet. */
  #readNext(fd: number, into: Uint8Array): number {
    while (!waitReadable(fd, PIPE_WAIT_MS)) this.#host.checkStopped();
    return readFile(fd, into);
  }

  /** The chunk's id, and its envelope where the repository has none. */
  #seal(chunk: Chunk, sealAll: boolean): PipelineChunk {
    const { sizeBytes, kind } = chunk;
    const id = kind === 'data' ? idHash(this.#material, chunk.data) : this.#zeroId(sizeBytes);
    if (!sealAll && this.#isKnown(id)) {
      this.#host.reserve(ID_BYTES).set(id);
      return { id, sizeBytes, kind };
    }
    const { payload, place } = this.#compress(kind === 'data' ? chunk.data : new Uint8Array(sizeBytes));
    place.set(id);
    const sealed = place.subarray(ID_BYTES);
    const encrypted = this.#material.cipher !== 'none';
    const nonce = encrypted ? this.#nonces.take(envelopeNonceBlocks(payload.length)) : 0n;
    sealEnvelopeInto(this.#material, nonce, payload, sealed);
    return { id, sizeBytes, kind, sealed };
  }

  /** What is to be sealed, and the place for id and envelope: it is there already, where the compressor can do that. */
  #compress(data: Uint8Array): { readonly payload: Uint8Array; readonly place: Uint8Array } {
    const placeBytes = (payloadBytes: number) => ID_BYTES + envelopeSizeBytes(this.#material, payloadBytes);
    const { placing } = this.#compressor;
    if (placing === undefined) {
      const payload = this.#compressor.compressTransient(data);
      return { payload, place: this.#host.reserve(placeBytes(payload.length)) };
    }
    const room = this.#host.reserve(placeBytes(placing.roomBytes(data.length)));
    const payload = placing.compressInto(data, room.subarray(placeBytes(0)));
    const place = room.subarray(0, placeBytes(payload.length));
    this.#host.shorten(place.length);
    return { payload, place };
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

function openedStat({ expected }: FileJob, fd: number): FileStat {
  const stat = fstat(fd);
  if (expected === undefined) return stat;
  if ((expected.mode & TYPE_MASK) !== (stat.mode & TYPE_MASK)) throw new FileRace('file type');
  if (expected.ino !== stat.ino) throw new FileRace('file inode');
  return stat;
}

function causeOf(error: NodeJS.ErrnoException, operation: string): OsError {
  return error instanceof OsError
    ? error
    : new OsError(Math.abs(error.errno ?? 0), error.syscall ?? operation);
}
