/**
 * A conversation with the kernel: requests come in, the tree is asked, replies go out. What is in memory is answered at
 * once; what must be fetched runs beside other requests.
 *
 * Source: Linux, Documentation/filesystems/fuse; Borg 1.4.5, fuse.py, FuseOperations; libfuse 3, fuse_lowlevel.c
 * (allow_root).
 */
import { errnoNumber } from '../../platform/os-error.ts';
import type { Reporter } from '../../util/reporter.ts';
import { type Soon, type TakeParts, type Vfs, type VfsFile, VfsError } from '../vfs.ts';
import { FuseFailure } from './fuse-failure.ts';
import { negotiate } from './negotiation.ts';
import { isWrite, OPCODE, OPEN_FLAG } from './protocol.ts';
import { readDirectory } from './read-directory.ts';
import {
  encodeAttributesReply,
  encodeEntry,
  encodeHeader,
  encodeInit,
  encodeOpen,
  encodeStatistics,
  encodeStatxReply,
} from './reply.ts';
import {
  decodeGetXattr,
  decodeInit,
  decodeInterrupt,
  decodeListXattr,
  decodeLookup,
  decodeOpen,
  decodeRead,
  decodeRelease,
  decodeRequest,
  FuseMessageError,
  type FuseRequest,
} from './request.ts';
import { listXattrs, xattrValue } from './xattr-replies.ts';

export interface FuseSessionOptions {
  /** Sends one message, made of these parts. */
  readonly send: (parts: readonly Uint8Array[]) => void;
  readonly reporter: Reporter;
  /** The kernel shall heed the ACLs of files. It heeds modes then, too. */
  readonly heedsAcls: boolean;
  /** Only this user, and root, may use it. Without: whom the kernel lets. */
  readonly onlyUid?: number | undefined;
}

/** As many requests are waited for at once; the kernel keeps the others. */
const MAX_UNDER_WAY = 64;
/** Requests about what was opened already: whoever may use the open file may send them. */
const OF_OPEN_FILES: ReadonlySet<number> = new Set([
  OPCODE.INIT,
  OPCODE.READ,
  OPCODE.RELEASE,
  OPCODE.READDIR,
  OPCODE.READDIRPLUS,
  OPCODE.RELEASEDIR,
  OPCODE.FSYNC,
  OPCODE.FSYNCDIR,
]);
/** O_WRONLY and O_RDWR. */
const ACCESS_MODE = 3;
const INTERRUPTED = new FuseFailure('EINTR');

/** A body in parts; undefined: there is no reply to such a request, or there was one. */
type Answer = readonly Uint8Array[] | undefined;

const NO_BODY: readonly Uint8Array[] = [];

export class FuseSession {
  readonly #vfs: Vfs;
  readonly #options: FuseSessionOptions;
  readonly #underWay = new Map<number, AbortController>();
  readonly #files = new Map<number, VfsFile>();
  #nextHandle = 1;
  #room = Promise.withResolvers<void>();

  constructor(vfs: Vfs, options: FuseSessionOptions) {
    this.#vfs = vfs;
    this.#options = options;
  }

  /** Requests that are not answered yet. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /**
   * Takes one message, of which nothing is needed when this returns. A promise: take no other before it settles. Throws a
   * FuseMessageError for what the kernel never sends.
   */
  handle(message: Uint8Array): Promise<void> | undefined {
    const request = decodeRequest(message);
    const { opcode, unique } = request;
    if (opcode === OPCODE.INTERRUPT) {
      this.#underWay.get(decodeInterrupt(request.body).unique)?.abort(INTERRUPTED);
      return undefined;
    }
    const stop = opcode === OPCODE.READ ? new AbortController() : undefined;
    let answer: Soon<Answer>;
    try {
      answer = this.#answer(request, stop?.signal);
    } catch (error) {
      if (error instanceof FuseMessageError) throw error;
      this.#fail(unique, error);
      return undefined;
    }
    if (!(answer instanceof Promise)) {
      if (answer !== undefined) this.#reply(unique, answer);
      return undefined;
    }
    this.#underWay.set(unique, stop ?? new AbortController());
    void this.#finish(unique, answer);
    return this.#underWay.size < MAX_UNDER_WAY ? undefined : this.#room.promise;
  }

  /** Closes what is open, and gives up what is under way. */
  close(): void {
    for (const stop of this.#underWay.values()) stop.abort(INTERRUPTED);
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  async #finish(unique: number, answer: Promise<Answer>): Promise<void> {
    try {
      const parts = await answer;
      if (parts !== undefined) this.#reply(unique, parts);
    } catch (error) {
      this.#fail(unique, error);
    } finally {
      this.#underWay.delete(unique);
      this.#room.resolve();
      this.#room = Promise.withResolvers<void>();
    }
  }

  #reply(unique: number, parts: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    this.#options.send([encodeHeader(unique, 0, bytes), ...parts]);
  }

  #fail(unique: number, error: unknown): void {
    let code = 'EIO';
    if (error instanceof VfsError || error instanceof FuseFailure) ({ code } = error);
    else
      this.#options.reporter.log('error', `mount: ${error instanceof Error ? error.message : String(error)}`);
    this.#options.send([encodeHeader(unique, errnoNumber(code) || errnoNumber('EIO'), 0)]);
  }

  #answer(request: FuseRequest, signal: AbortSignal | undefined): Soon<Answer> {
    const { opcode, unique, inode, body, uid } = request;
    const { onlyUid } = this.#options;
    const isStranger = onlyUid !== undefined && uid !== onlyUid && uid !== 0;
    if (isStranger && !OF_OPEN_FILES.has(opcode)) throw new FuseFailure('EACCES');
    const vfs = this.#vfs;
    switch (opcode) {
      case OPCODE.INIT:
        return [encodeInit(negotiate(decodeInit(body), this.#options))];
      case OPCODE.LOOKUP:
        return this.#lookup(inode, Uint8Array.from(decodeLookup(body)));
      case OPCODE.FORGET:
      case OPCODE.BATCH_FORGET:
        // An inode is the same one for ever.
        return undefined;
      case OPCODE.GETATTR:
        return then(vfs.attributes(inode), (attributes) => [encodeAttributesReply(attributes)]);
      case OPCODE.STATX:
        // The kernel asks for each node's time of birth, even if it knows all else of it. Told no, it never asks again.
        if (!vfs.hasBirthtimes) throw new FuseFailure('ENOSYS');
        return then(vfs.attributes(inode), (attributes) => [encodeStatxReply(attributes)]);
      case OPCODE.READLINK:
        return then(vfs.readLink(inode), (target) => [target]);
      case OPCODE.OPEN:
        if ((decodeOpen(body).flags & ACCESS_MODE) !== 0) throw new FuseFailure('EROFS');
        return then(vfs.open(inode), (file) => [this.#opened(file)]);
      case OPCODE.READ: {
        const { handle, offset, sizeBytes } = decodeRead(body);
        const file = this.#files.get(handle);
        if (file === undefined) throw new FuseFailure('EBADF');
        const take: TakeParts = (parts) => this.#reply(unique, parts);
        return then(file.readParts(offset, sizeBytes, take, signal), () => undefined);
      }
      case OPCODE.RELEASE: {
        const { handle } = decodeRelease(body);
        this.#files.get(handle)?.close();
        this.#files.delete(handle);
        return NO_BODY;
      }
      case OPCODE.READDIR:
      case OPCODE.READDIRPLUS:
        return readDirectory(vfs, inode, decodeRead(body), opcode === OPCODE.READDIRPLUS);
      case OPCODE.STATFS:
        return [encodeStatistics(vfs.statistics())];
      case OPCODE.GETXATTR: {
        const { name, roomBytes } = decodeGetXattr(body);
        const text = Buffer.from(name).toString('latin1');
        return then(vfs.xattrs(inode), (xattrs) => [xattrValue(xattrs, text, roomBytes)]);
      }
      case OPCODE.LISTXATTR: {
        const { roomBytes } = decodeListXattr(body);
        return then(vfs.xattrs(inode), (xattrs) => [listXattrs(xattrs, roomBytes)]);
      }
      case OPCODE.RELEASEDIR:
      case OPCODE.FSYNC:
      case OPCODE.FSYNCDIR:
      case OPCODE.DESTROY:
        return NO_BODY;
      default:
        // Most of what nobody answers, such as OPENDIR and ACCESS, the kernel does itself from then on.
        throw new FuseFailure(isWrite(opcode) ? 'EROFS' : 'ENOSYS');
    }
  }

  #lookup(directory: number, name: Uint8Array): Soon<Answer> {
    const vfs = this.#vfs;
    return then(vfs.lookup(directory, name), (inode) =>
      inode === 0
        ? [encodeEntry(undefined)]
        : then(vfs.attributes(inode), (attributes) => [encodeEntry(attributes)]),
    );
  }

  #opened(file: VfsFile): Uint8Array {
    const handle = this.#nextHandle++;
    this.#files.set(handle, file);
    return encodeOpen(handle, OPEN_FLAG.KEEP_CACHE | OPEN_FLAG.NOFLUSH);
  }
}

/** At once where it can be. */
function then<T, Result>(value: Soon<T>, next: (value: T) => Soon<Result>): Soon<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
