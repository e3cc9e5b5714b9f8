import type { Chunk, ChunkSource } from '../chunker/chunk-source.ts';
import { type Chunker, createChunker } from '../chunker/chunker.ts';
import type { ChunkerParams } from '../chunker/chunker-params.ts';
import type { CompressionSpec } from '../compress/compression-spec.ts';
import { type Compressor, createCompressor } from '../compress/compressor.ts';
import { envelopeNonceBlocks, envelopeSizeBytes, sealEnvelopeInto } from '../crypto/envelope.ts';
import { idHash } from '../crypto/id-hash.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { getAcls } from '../platform/acl.ts';
import { getFlags } from '../platform/bsd-flags.ts';
import { type FileStat, fstat, isBlockDevice, isRegular } from '../platform/file-stat.ts';
import { closeFile, openRead } from '../platform/open-file.ts';
import { OsError, isOsError } from '../platform/os-error.ts';
import { forgetCached, readFile, readFileAt, seekFile, waitReadable } from '../platform/read-file.ts';
import { readXattrs } from '../platform/xattr.ts';
import { toBinaryString } from '../util/bytes.ts';
import type { FileError, FileJob, FileResult, PipelineChunk } from './file-job.ts';
import { type FileSection, SectionCutOff, sectionSource } from './file-section.ts';
import { NonceRange } from './nonce-range.ts';

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
  /** Memory for an id and the envelope that follows it; may wait until there is room. */
  reserve(sizeBytes: number): Uint8Array;
  /** Takes a chunk whose id and envelope, if any, are in the memory reserved last. */
  emit(chunk: PipelineChunk): void;
  /** Throws where the work is to stop. */
  checkStopped(): void;
}

const TYPE_MASK = 0o170000;
const ID_BYTES = 32;
/** Sizes of zero chunks whose ids are remembered; as many as Borg remembers. */
const ZERO_IDS = 10;
/** Chunks sealed last that are not sealed again, though the index may not have them yet. */
const RECENT_IDS = 256;
/** How long a pipe that says nothing keeps us from looking whether to stop. */
const PIPE_WAIT_MS = 200;
/** Files below this size stay in the page cache: forgetting them costs more than it frees. */
const FORGET_FROM_BYTES = 2 ** 20;

/** A system call failed: the file's fault, not the program's. */
class FileFailure extends Error {
  readonly error: FileError;

  constructor(error: FileError) {
    super(error.kind);
    this.error = error;
  }
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
  readonly #recentIds = new Set<string>();

  /** Call initCrypto() first. */
  constructor(options: ProcessorOptions, host: ProcessorHost) {
    this.#material = options.material;
    this.#chunker = createChunker(options.chunkerParams, options.chunkSeed);
    this.#compressor = createCompressor(options.compression);
    this.#host = host;
    this.#nonces = new NonceRange((blocks) => host.leaseNonces(blocks));
  }

  /** Emits the file's chunks and says what became of it. Throws only what is not the file's fault. */
  process(job: FileJob): FileResult {
    const result: { -readonly [Key in keyof FileResult]: FileResult[Key] } = { sizeBytes: 0, flags: 0 };
    let fd = job.fd;
    try {
      fd ??= attempt('open', () =>
        openRead(job.path, { noFollow: !job.followSymlinks, noAtime: true }, job.at),
      );
      const file = fd;
      const stat = attempt('fstat', () => fstat(file));
      checkSameFile(job, stat);
      result.stat = stat;
      if (job.contents ?? true) {
        this.#readContents(job, file, stat, (sizeBytes) => (result.sizeBytes += sizeBytes));
        result.statAfter = attempt('fstat2', () => fstat(file));
      }
      if (job.flags) result.flags = attempt('extended stat (flags)', () => getFlags(file, stat.mode));
      if (job.xattrs) {
        const { xattrs, warnings } = attempt('extended stat (xattrs)', () => readXattrs(file, job.path));
        if (xattrs.size > 0) result.xattrs = xattrs;
        if (warnings.length > 0) result.xattrWarnings = warnings;
      }
      if (job.acls) {
        const options = { numericIds: job.numericIds ?? false };
        const acls = attempt('extended stat (ACLs)', () => getAcls(file, stat.mode, options));
        if (acls.aclAccess !== undefined || acls.aclDefault !== undefined) result.acls = acls;
      }
    } catch (error) {
      if (error instanceof SectionCutOff) result.missingBytes = error.missingBytes;
      else if (error instanceof FileFailure) result.error = error.error;
      else throw error;
    } finally {
      if (fd !== undefined && (job.fd === undefined || job.closeFd)) closeFile(fd);
    }
    return result;
  }

  #readContents(job: FileJob, fd: number, stat: FileStat, count: (sizeBytes: number) => void): void {
    const { section } = job;
    const source = section === undefined ? this.#sourceOf(fd, stat) : this.#sectionOf(fd, section);
    for (const chunk of this.#chunker.chunks(source, { sparse: job.sparse ?? false })) {
      this.#host.checkStopped();
      count(chunk.sizeBytes);
      this.#emit(chunk, job.sealAll ?? false);
    }
  }

  #sourceOf(fd: number, stat: FileStat): ChunkSource {
    const regular = isRegular(stat.mode);
    if (regular || isBlockDevice(stat.mode)) {
      const forget = !regular || stat.sizeBytes >= FORGET_FROM_BYTES;
      let position = 0;
      return {
        read: (into) => {
          const size = attempt('read', () => readFile(fd, into));
          if (forget && size > 0) forgetCached(fd, position, size);
          position += size;
          return size;
        },
        seek: (offset, whence) => {
          const reached = seekFile(fd, offset, whence);
          position = reached ?? position;
          return reached;
        },
      };
    }
    return { read: (into) => this.#readNext(fd, into) };
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
      return attempt('read', () => readFileAt(fd, into, offsetBytes + storedOffset));
    });
  }

  /** From a descriptor that may have nothing yet. */
  #readNext(fd: number, into: Uint8Array): number {
    while (!waitReadable(fd, PIPE_WAIT_MS)) this.#host.checkStopped();
    return attempt('read', () => readFile(fd, into));
  }

  #emit(chunk: Chunk, sealAll: boolean): void {
    const { sizeBytes, kind } = chunk;
    const id = kind === 'data' ? idHash(this.#material, chunk.data) : this.#zeroId(sizeBytes);
    if (!sealAll && this.#isKnown(id)) {
      this.#host.reserve(ID_BYTES).set(id);
      return this.#host.emit({ id, sizeBytes, kind });
    }
    const payload = this.#compressor.compressTransient(
      kind === 'data' ? chunk.data : new Uint8Array(sizeBytes),
    );
    const place = this.#host.reserve(ID_BYTES + envelopeSizeBytes(this.#material, payload.length));
    place.set(id);
    const sealed = place.subarray(ID_BYTES);
    const encrypted = this.#material.cipher !== 'none';
    const nonce = encrypted ? this.#nonces.take(envelopeNonceBlocks(payload.length)) : 0n;
    sealEnvelopeInto(this.#material, nonce, payload, sealed);
    this.#host.emit({ id, sizeBytes, kind, sealed });
  }

  #zeroId(sizeBytes: number): Uint8Array {
    let id = this.#zeroIds.get(sizeBytes);
    if (id === undefined) {
      id = idHash(this.#material, new Uint8Array(sizeBytes));
      if (this.#zeroIds.size >= ZERO_IDS) dropOldest(this.#zeroIds);
      this.#zeroIds.set(sizeBytes, id);
    }
    return id;
  }

  /** Whether the repository has the chunk, or is about to have it from here; if not, it now is. */
  #isKnown(id: Uint8Array): boolean {
    if (this.#host.isKnown(id)) return true;
    const key = toBinaryString(id);
    if (this.#recentIds.has(key)) return true;
    if (this.#recentIds.size >= RECENT_IDS) dropOldest(this.#recentIds);
    this.#recentIds.add(key);
    return false;
  }
}

function dropOldest<Key>(collection: { keys(): Iterator<Key>; delete(key: Key): boolean }): void {
  const oldest = collection.keys().next();
  if (oldest.done !== true) collection.delete(oldest.value);
}

function checkSameFile(job: FileJob, stat: FileStat): void {
  const { expected } = job;
  if (expected === undefined) return;
  if ((expected.mode & TYPE_MASK) !== (stat.mode & TYPE_MASK)) {
    throw new FileFailure({ kind: 'race', what: 'file type' });
  }
  if (expected.ino !== stat.ino) throw new FileFailure({ kind: 'race', what: 'file inode' });
}

function attempt<Result>(operation: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (!isOsError(error)) throw error;
    const cause =
      error instanceof OsError ? error : new OsError(Math.abs(error.errno ?? 0), error.syscall ?? operation);
    throw new FileFailure({ kind: 'os', operation, cause });
  }
}
