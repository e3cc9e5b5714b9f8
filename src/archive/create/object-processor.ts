/**
 * Makes items of what the walk finds: of directories, links and devices at once, of files when they were read.
 *
 * Source: Borg 1.4.5, archive.py, FilesystemObjectProcessors; archiver.py, Archiver._process_any.
 */
import { FileChangedWarning, FileContentsWarning, GeneralWarning } from '../../errors.ts';
import type { Item } from '../../format/item.ts';
import type { Key } from '../../keys/key.ts';
import {
  type FileStat,
  fstat,
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isRegular,
  isSocket,
  isSymlink,
  lstat,
  stat as statFollowing,
} from '../../platform/file-stat.ts';
import {
  closeFile,
  openDirectory,
  openRead,
  type OpenReadOptions,
  readLink,
} from '../../platform/open-file.ts';
import type { FileResult } from '../../pipeline/file-job.ts';
import { fromUtf8, toUtf8Lossy } from '../../util/bytes.ts';
import { BackupError, backupIo, checkSameFile } from '../backup-error.ts';
import type { BackupRun } from './backup-run.ts';
import type { FileVerification } from './file-verification.ts';
import { HardLinkMasters } from './hard-link-masters.ts';
import type { MetadataCollector, MetadataOptions } from './metadata-collector.ts';
import { isSpecial, joinPath, makePathSafe, stripPrefix } from './path-bytes.ts';
import { PendingFile, totalSize } from './pending-file.ts';
import { memorizeFile, settleFile, type FilesChangedMode } from './settle-file.ts';
import type { FoundObject, WalkVisitor } from './tree-walk.ts';

export interface ObjectProcessorOptions extends MetadataOptions {
  /** Back up the content of devices and fifos, not the things themselves. */
  readonly readSpecial: boolean;
  readonly sparse: boolean;
  readonly filesChanged: FilesChangedMode;
  /** Paths are relative to it. */
  readonly cwd: string;
  readonly nowNs: () => bigint;
  /** Reads some files again that the files cache knows unchanged. */
  readonly verification?: FileVerification | undefined;
}

/** A file that was opened, with what is known before its content is read. */
interface OpenedFile {
  readonly path: Uint8Array;
  readonly item: Item;
  readonly fd: number;
  readonly stat: FileStat;
}

const SPECIAL: OpenReadOptions = { noAtime: true, nonBlock: false };
const PERMISSIONS = 0o7777;
const REGULAR = 0o100000;

export class ObjectProcessor implements WalkVisitor, Disposable {
  /** Of the path given by the user, with a slashdot in it. */
  stripPrefix: Uint8Array | undefined;
  readonly #run: BackupRun;
  readonly #key: Key;
  readonly #collector: MetadataCollector;
  readonly #options: ObjectProcessorOptions;
  readonly #cwd: Uint8Array;
  readonly #hardLinks = new HardLinkMasters();
  /** Descriptors of files that wait for their masters. */
  readonly #waiting = new Set<number>();

  constructor(run: BackupRun, key: Key, collector: MetadataCollector, options: ObjectProcessorOptions) {
    this.#run = run;
    this.#key = key;
    this.#collector = collector;
    this.#options = options;
    this.#cwd = fromUtf8(options.cwd);
  }

  /** To be called when the run has stopped. */
  [Symbol.dispose](): void {
    for (const fd of this.#waiting) closeFile(fd);
    this.#waiting.clear();
  }

  status(letter: string, path: Uint8Array): void {
    this.#run.status(letter, path);
  }

  failed(path: Uint8Array, error: BackupError): void {
    this.#run.warn(error.toWarning(path));
  }

  directory(path: Uint8Array, fd: number, stat: FileStat): string {
    const item = this.#newItem(path);
    if (item === undefined) return 'x';
    this.#collector.addSimple(item, stat);
    this.#collector.addExtended(item, stat, path, fd);
    this.#run.push({ finish: () => this.#run.addItem(item) });
    return 'd';
  }

  /** A thing that no walk found. */
  any(found: FoundObject): void {
    const { path, stat } = found;
    if (!isDirectory(stat.mode)) return this.object(found);
    const fd = backupIo('dir_open', () => openDirectory(this.#locate(found)), path);
    try {
      const opened = checkSameFile(
        stat,
        backupIo('fstat', () => fstat(fd)),
      );
      this.status(this.directory(path, fd, opened), path);
    } finally {
      closeFile(fd);
    }
  }

  object(found: FoundObject): void {
    const { mode } = found.stat;
    const { readSpecial } = this.#options;
    if (isRegular(mode)) this.#file(found, { noAtime: true });
    else if (isSymlink(mode)) this.#symlinkOrTarget(found);
    else if (isSocket(mode)) return;
    else if (isSpecial(mode) && readSpecial) this.#file(found, SPECIAL);
    else if (isFifo(mode)) this.#fifo(found);
    else if (isCharacterDevice(mode)) this.#device(found, 'c');
    else if (isBlockDevice(mode)) this.#device(found, 'b');
    else this.#run.warn(new GeneralWarning([`Unknown file type: ${toUtf8Lossy(found.path)}`]));
  }

  /** The item for a path, with its name in the archive; undefined for directories above what is kept. */
  #newItem(path: Uint8Array): Item | undefined {
    const kept = this.stripPrefix === undefined ? path : stripPrefix(path, this.stripPrefix);
    return kept === undefined ? undefined : { path: makePathSafe(kept) };
  }

  #symlinkOrTarget(found: FoundObject): void {
    if (this.#options.readSpecial) {
      const target = this.#targetOf(found);
      if (target !== undefined && isSpecial(target.mode)) {
        return this.#file({ ...found, stat: target }, { ...SPECIAL, noFollow: false });
      }
    }
    const { path, at, stat } = found;
    const item = this.#newItem(path);
    if (item === undefined) return this.status('x', path);
    item.source = backupIo('readlink', () => readLink(this.#locate(found), at), at?.name ?? path);
    this.#collector.addSimple(item, stat);
    this.#collector.addExtended(item, stat, joinPath(this.#cwd, path), undefined);
    this.#finishItem(item, path, 's', undefined);
  }

  #fifo(found: FoundObject): void {
    const opened = this.#open(found, { noAtime: true });
    if (opened === undefined) return;
    const { item, fd, stat, path } = opened;
    try {
      this.#linkOrMaster(item, stat);
      this.#collector.addSimple(item, stat);
      this.#collector.addExtended(item, stat, path, fd);
    } finally {
      closeFile(fd);
    }
    this.#finishItem(item, path, 'f', stat);
  }

  /** Not opened: some devices do things when they are. */
  #device(found: FoundObject, letter: string): void {
    const { path, at, stat: before } = found;
    const item = this.#newItem(path);
    if (item === undefined) return this.status('x', path);
    const stat = checkSameFile(
      before,
      backupIo('stat', () => lstat(this.#locate(found), at), at?.name ?? path),
    );
    item.rdev = Number(stat.rdev);
    this.#linkOrMaster(item, stat);
    this.#collector.addSimple(item, stat);
    this.#collector.addExtended(item, stat, joinPath(this.#cwd, path), undefined);
    this.#finishItem(item, path, letter, stat);
  }

  /** Marks a thing of which no content is read as a hard link or as the master of later ones. */
  #linkOrMaster(item: Item, stat: FileStat): void {
    const source = this.#hardLinks.find(stat);
    if (source instanceof Uint8Array) item.source = source;
    else item.hardlinkMaster = stat.nlink > 1;
  }

  #finishItem(item: Item, path: Uint8Array, letter: string, linkable: FileStat | undefined): void {
    if (linkable !== undefined && item.source === undefined) this.#hardLinks.add(linkable, item.path);
    this.#run.push({ finish: () => this.#run.addItem(item) });
    this.status(linkable !== undefined && item.source !== undefined ? 'h' : letter, path);
  }

  #open(found: FoundObject, options: OpenReadOptions): OpenedFile | undefined {
    const { path, at } = found;
    const item = this.#newItem(path);
    if (item === undefined) {
      this.status('x', path);
      return undefined;
    }
    const fd = backupIo('open', () => openRead(this.#locate(found), options, at), at?.name ?? path);
    try {
      const stat = checkSameFile(
        found.stat,
        backupIo('fstat', () => fstat(fd)),
      );
      return { path, item, fd, stat };
    } catch (error) {
      closeFile(fd);
      throw error;
    }
  }

  #file(found: FoundObject, options: OpenReadOptions): void {
    const opened = this.#open(found, options);
    if (opened === undefined) return;
    const master = this.#hardLinks.find(opened.stat);
    if (master === undefined || master instanceof Uint8Array) return this.#openedFile(opened);
    // Its master is being read. Whether this becomes a link to it is known when the master's turn is over.
    this.#waiting.add(opened.fd);
    this.#run.pushOpen({ ready: master.ended, finish: () => this.#openedLate(opened) });
  }

  /** As #openedFile, where no walk is there to take the error. */
  #openedLate(opened: OpenedFile): void {
    this.#waiting.delete(opened.fd);
    try {
      this.#openedFile(opened);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      this.failed(opened.path, error);
      this.status('E', opened.path);
    }
  }

  /** Takes over the descriptor. */
  #openedFile(opened: OpenedFile): void {
    const { path, item, fd, stat } = opened;
    let keepOpen = false;
    try {
      this.#collector.addSimple(item, stat);
      const source = this.#hardLinks.find(stat);
      if (source instanceof Uint8Array) {
        item.source = source;
        this.#collector.addExtended(item, stat, path, fd);
        this.#finishItem(item, path, 'h', stat);
      } else {
        item.hardlinkMaster = stat.nlink > 1;
        keepOpen = this.#content(opened);
      }
    } finally {
      if (!keepOpen) closeFile(fd);
    }
  }

  /** Takes the content over from an earlier backup, or has it read; says whether the descriptor is needed for that. */
  #content(opened: OpenedFile): boolean {
    const { path, item, stat } = opened;
    if (isSpecial(stat.mode)) {
      // Kept as a regular file, so that it can be extracted as one.
      item.mode = REGULAR | (stat.mode & PERMISSIONS);
      this.#read(opened, undefined, 'A');
      return true;
    }
    const { files } = this.#run.cache;
    const pathHash = files && this.#key.idHash(joinPath(this.#cwd, path));
    const answer = pathHash && files?.lookup(pathHash, stat);
    const ids = answer?.ids;
    if (ids === undefined || ids.some((id) => this.#run.cache.refcount(id) === 0)) {
      this.#read(opened, pathHash, answer?.known === true ? 'M' : 'A');
      return true;
    }
    if (this.#options.verification?.isDue(pathHash!) === true) {
      this.#read(opened, pathHash, 'M', ids);
      return true;
    }
    this.#collector.addExtended(item, stat, path, opened.fd);
    this.#finishUnchanged(opened, ids);
    return false;
  }

  #finishUnchanged({ path, item, stat }: OpenedFile, ids: readonly Uint8Array[]): void {
    this.#hardLinks.add(stat, item.path);
    this.#run.push({ finish: () => this.#addStored(item, ids) });
    this.status('U', path);
  }

  #addStored(item: Item, ids: readonly Uint8Array[]): void {
    const { cache, writer } = this.#run;
    item.chunks = ids.map((id) => cache.incref(id, writer.statistics));
    item.size = totalSize(item.chunks);
    writer.statistics.files += 1;
    this.#run.addItem(item);
  }

  /** With `stored`, the ids by the files cache: only to compare with these. */
  #read(
    { path, item, fd, stat }: OpenedFile,
    pathHash: Uint8Array | undefined,
    firstStatus: string,
    stored?: readonly Uint8Array[],
  ): void {
    const readNs = this.#options.nowNs();
    const file = new PendingFile({ path, item, stat, pathHash, firstStatus, readNs, stored });
    const { noXattrs, noAcls, noFlags, numericIds, sparse } = this.#options;
    this.#hardLinks.begin(stat);
    const job = {
      path,
      fd,
      sizeHintBytes: stat.sizeBytes,
      sparse,
      xattrs: !noXattrs,
      acls: !noAcls,
      flags: !noFlags,
      numericIds,
    };
    this.#run.read(file, job, {
      settle: (result) =>
        stored === undefined ? this.#settle(file, result) : this.#verify(file, fd, result),
      close: () => closeFile(fd),
      finish: () => this.#finishFile(file),
    });
  }

  #settle(file: PendingFile, result: FileResult): void {
    settleFile(file, result, this.#collector, this.#options.filesChanged);
  }

  /** As #settle, for a file that is read to be compared. */
  async #verify(file: PendingFile, fd: number, result: FileResult): Promise<void> {
    const { item, path, stat, stored, chunks } = file;
    const verification = this.#options.verification!;
    this.#settle(file, result);
    if (file.error === undefined) {
      const ids = chunks.map((chunk) => chunk.id);
      file.verdict = await verification.judge(this.#run, stored!, ids, stat!, result.statAfter);
    } else if (result.stat !== undefined) {
      // What can't be read any more is still in the repository: there it is right, as far as anybody can tell.
      try {
        this.#collector.addExtended(item, stat!, path, fd);
        file.verdict = 'unreadable';
      } catch (error) {
        if (!(error instanceof BackupError)) throw error;
      }
    }
    if (file.verdict !== undefined) verification.count(file.verdict);
  }

  #finishFile(file: PendingFile): void {
    const { path, item, stat, chunks } = file;
    const { writer } = this.#run;
    const report = (letter: string) => this.status(letter, path);
    if (file.verdict === 'unreadable') {
      this.#addStored(item, file.stored!);
      this.#hardLinks.add(stat!, item.path);
      this.#run.warn(file.error!.toWarning(path));
      report('E');
      return;
    }
    report(file.verdict === 'same' ? 'U' : file.firstStatus);
    if (file.error !== undefined) {
      if (stat !== undefined) this.#hardLinks.fail(stat);
      this.#run.warn(file.error.toWarning(path));
      report('E');
      return;
    }
    item.chunks = chunks;
    item.size = totalSize(chunks);
    // What changes while it is read may be inconsistent: it has to be read again next time.
    if (!file.changed) memorizeFile(file, this.#run.cache.files);
    writer.statistics.files += 1;
    this.#run.addItem(item);
    if (stat !== undefined) this.#hardLinks.add(stat, item.path);
    if (file.verdict === 'changed') this.#run.warn(new FileContentsWarning([toUtf8Lossy(path)]));
    if (!file.changed) return;
    this.#run.warn(new FileChangedWarning([toUtf8Lossy(path)]));
    report('C');
  }

  #targetOf(found: FoundObject): FileStat | undefined {
    try {
      return statFollowing(this.#locate(found), found.at);
    } catch {
      return undefined;
    }
  }

  /** What to give to the system: found by its name in an open directory, the path is for messages only. */
  #locate({ path, at }: FoundObject): Uint8Array {
    return at === undefined ? joinPath(this.#cwd, path) : path;
  }
}
