import type { Chunk, ChunkSource } from '../chunker/chunk-source.ts';
import { type Chunker, createChunker } from '../chunker/chunker.ts';
import type { ChunkerParams } from '../chunker/chunker-params.ts';
import { getAcls } from '../platform/acl.ts';
import { showsNoAcls } from '../platform/acl-listing.ts';
import { flagsOf } from '../platform/bsd-flags.ts';
import { type FileStat, fstat, isBlockDevice, isRegular } from '../platform/file-stat.ts';
import { closeFile, openRead } from '../platform/open-file.ts';
import { OsError, isOsError } from '../platform/os-error.ts';
import { forgetCached, readFile, readFileAt, seekFile, waitReadable } from '../platform/read-file.ts';
import { readXattrs } from '../platform/xattr.ts';
import type { FileJob, FileResult } from './file-job.ts';
import { type FileSection, SectionCutOff, sectionSource } from './file-section.ts';

/** Where files are cut. */
export interface CuttingOptions {
  readonly chunkerParams: ChunkerParams;
  readonly chunkSeed: number;
}

/** What a reader asks of whoever takes its chunks. */
export interface ReaderHost {
  /** Chunks given so far are about to be overwritten. Without it a chunk is good until the next one is taken. */
  beforeReuse?(): void;
  /** Throws where the work is to stop. */
  checkStopped(): void;
}

const TYPE_MASK = 0o170000;
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
 * Reads files and cuts them into chunks, one file at a time, all in one thread.
 *
 * Source: Borg 1.4.5, archive.py, FilesystemObjectProcessors.process_file.
 */
export class FileReader {
  readonly #chunker: Chunker;
  readonly #host: ReaderHost;

  constructor({ chunkerParams, chunkSeed }: CuttingOptions, host: ReaderHost) {
    this.#chunker = createChunker(chunkerParams, chunkSeed, host.beforeReuse?.bind(host));
    this.#host = host;
  }

  /**
   * Gives the file's chunks, each good until the host hears of it; in `result` is what became of the file when there
   * are no more. Throws only what is not the file's fault.
   */
  *read(job: FileJob, result: GrowingResult): Generator<Chunk> {
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
          yield chunk;
        }
        operation = 'fstat2';
        result.statAfter = fstat(fd);
      }
      if (job.flags) {
        operation = 'extended stat (flags)';
        result.flags = flagsOf(fd, result.statAfter ?? result.stat ?? fstat(fd));
      }
      let namesAcls: boolean | undefined;
      if (job.xattrs) {
        operation = 'extended stat (xattrs)';
        const found = readXattrs(fd, job.path);
        ({ namesAcls } = found);
        if (found.xattrs.size > 0) result.xattrs = found.xattrs;
        if (found.warnings.length > 0) result.xattrWarnings = found.warnings;
      }
      const { statAfter } = result;
      // Of what was opened here nobody knows since when.
      const hasNoAcls = job.fd !== undefined && statAfter && showsNoAcls(fd, statAfter, namesAcls);
      if (job.acls && !hasNoAcls) {
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
