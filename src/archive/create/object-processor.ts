/**
 * Makes items of what the walk finds: of directories, links and devices at once, of files when they were read.
 *
 * Source: Borg 1.4.5, archive.py, FilesystemObjectProcessors; archiver.py, Archiver._process_any.
 */
import { FileChangedWarning, FileContentsWarning, GeneralWarning } from '../../errors.ts';
import type { Item } from '../../format/item.ts';
import {
  type FileStat,
  isBlockDevice,
  isCharacterDevice,
  isDirectory,
  isFifo,
  isSymlink,
} from '../../platform/file-stat.ts';
import { closeFile } from '../../platform/open-file.ts';
import type { FileResult } from '../../pipeline/file-job.ts';
import { toUtf8Lossy } from '../../util/bytes.ts';
import { BackupError } from '../backup-error.ts';
import type { Attributes } from './attributes.ts';
import type { BackupRun } from './backup-run.ts';
import type { ReadOutcome } from './file-read.ts';
import type { FileVerification } from './file-verification.ts';
import { FoundFile, type KnownBefore } from './found-file.ts';
import { HardLinkMasters, type PendingMaster } from './hard-link-masters.ts';
import type { FoundObject, InspectedObject, Inspector, OpenedObject } from './inspector.ts';
import type { MetadataCollector, MetadataOptions } from './metadata-collector.ts';
import { isSpecial, makePathSafe, stripPrefix } from './path-bytes.ts';
import type { PathKeys } from './path-keys.ts';
import { totalSize } from './pending-file.ts';
import { memorizeFile, settleFile, type FilesChangedMode } from './settle-file.ts';
import type { WalkVisitor } from './tree-walk.ts';

export interface ObjectProcessorOptions extends MetadataOptions {
  readonly sparse: boolean;
  readonly filesChanged: FilesChangedMode;
  readonly nowNs: () => bigint;
  readonly pathKeys: PathKeys;
  /** Reads some files again that the files cache knows unchanged. */
  readonly verification?: FileVerification | undefined;
}

const PERMISSIONS = 0o7777;
const REGULAR = 0o100000;

export class ObjectProcessor implements WalkVisitor, Disposable {
  /** Of the path given by the user, with a slashdot in it. */
  stripPrefix: Uint8Array | undefined;
  readonly #run: BackupRun;
  readonly #inspector: Inspector;
  readonly #collector: MetadataCollector;
  readonly #options: ObjectProcessorOptions;
  readonly #hardLinks = new HardLinkMasters();
  /** Descriptors of files that wait for their masters. */
  readonly #waiting = new Set<number>();
  /** What is done with each file that is read. */
  readonly #outcome: ReadOutcome<FoundFile> = {
    settle: (result, file) =>
      file.stored === undefined ? this.#settle(file, result) : this.#verify(file, result),
    close: (file) => closeFile(file.found.fd),
    finish: (file) => this.#finishFile(file),
  };

  constructor(
    run: BackupRun,
    inspector: Inspector,
    collector: MetadataCollector,
    options: ObjectProcessorOptions,
  ) {
    this.#run = run;
    this.#inspector = inspector;
    this.#collector = collector;
    this.#options = options;
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

  pathHashes(paths: readonly Uint8Array[]): readonly Uint8Array[] | undefined {
    return this.#run.cache.files && this.#options.pathKeys.ofAll(paths);
  }

  directory(path: Uint8Array, stat: FileStat, attributes: Attributes): void {
    const item = this.#newItem(path, stat);
    if (item === undefined) return;
    this.#collector.addAttributes(item, attributes);
    this.#run.push({ finish: () => this.#run.addItem(item) });
  }

  directoryEnd(path: Uint8Array): void {
    this.status(this.#keptPath(path) === undefined ? 'x' : 'd', path);
  }

  /** A thing that no walk found. Throws BackupError. */
  any(found: FoundObject): void {
    if (isDirectory(found.stat.mode)) return this.#directoryAlone(found);
    const inspected = this.#inspector.inspect(found);
    if (inspected !== undefined) this.object(inspected);
  }

  #directoryAlone(found: FoundObject): void {
    const { path } = found;
    const { fd, stat } = this.#inspector.openDirectory(found);
    try {
      this.directory(path, stat, this.#inspector.attributes(fd, stat, path));
    } finally {
      closeFile(fd);
    }
    this.directoryEnd(path);
  }

  object(found: InspectedObject): void {
    const { path, stat, fd } = found;
    const item = this.#newItem(path, stat);
    if (item === undefined) {
      if (fd !== undefined) closeFile(fd);
      this.status('x', path);
    } else if (fd === undefined) this.#withoutContent(item, found);
    else this.#file(item, found as OpenedObject);
  }

  /** What is at the path, with its name in the archive; undefined for directories above what is kept. */
  #newItem(path: Uint8Array, stat: FileStat): Item | undefined {
    const kept = this.#keptPath(path);
    return kept === undefined ? undefined : this.#collector.newItem(makePathSafe(kept), stat);
  }

  #keptPath(path: Uint8Array): Uint8Array | undefined {
    return this.stripPrefix === undefined ? path : stripPrefix(path, this.stripPrefix);
  }

  #withoutContent(item: Item, found: InspectedObject): void {
    const { path, stat, linkTarget } = found;
    const letter = letterOf(stat.mode);
    if (letter === undefined) {
      return this.#run.warn(new GeneralWarning([`Unknown file type: ${toUtf8Lossy(path)}`]));
    }
    const isLink = letter === 's';
    if (isLink) item.source = linkTarget!;
    else this.#linkOrMaster(item, stat);
    if (letter === 'c' || letter === 'b') item.rdev = Number(stat.rdev);
    this.#addAttributes(item, found);
    this.#finishItem(item, path, letter, isLink ? undefined : stat);
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

  #file(item: Item, found: OpenedObject): void {
    const master = this.#hardLinks.find(found.stat);
    if (master === undefined || master instanceof Uint8Array) this.#fileNow(item, found);
    else this.#fileAfter(master, item, found);
  }

  /** Its master is being read. Whether this becomes a link to it is known when the master's turn is over. */
  #fileAfter(master: PendingMaster, item: Item, found: OpenedObject): void {
    this.#waiting.add(found.fd);
    this.#run.pushOpen(master.ended, () => {
      this.#waiting.delete(found.fd);
      this.#fileNow(item, found);
    });
  }

  /** Takes over the descriptor. */
  #fileNow(item: Item, found: OpenedObject): void {
    const { path, stat, fd } = found;
    let keepOpen = false;
    try {
      const source = this.#hardLinks.find(stat);
      if (source instanceof Uint8Array) {
        item.source = source;
        this.#addAttributes(item, found);
        this.#finishItem(item, path, 'h', stat);
      } else {
        item.hardlinkMaster = stat.nlink > 1;
        keepOpen = this.#content(item, found);
      }
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      this.failed(path, error);
      this.status('E', path);
    } finally {
      if (!keepOpen) closeFile(fd);
    }
  }

  /** Throws BackupError where they can't be read. */
  #addAttributes(item: Item, { path, stat, fd, attributes }: InspectedObject): void {
    if (attributes instanceof BackupError) throw attributes;
    this.#collector.addAttributes(item, attributes ?? this.#inspector.attributes(fd ?? path, stat, path));
  }

  /** Takes the content over from an earlier backup, or has it read; says whether the descriptor is needed for that. */
  #content(item: Item, found: OpenedObject): boolean {
    const { path, stat } = found;
    if (isSpecial(stat.mode)) {
      // Kept as a regular file, so that it can be extracted as one.
      item.mode = REGULAR | (stat.mode & PERMISSIONS);
      this.#read(item, found, { firstStatus: 'A' });
      return true;
    }
    const { files } = this.#run.cache;
    const pathHash = files && (found.pathHash ?? this.#options.pathKeys.of(path));
    const answer = pathHash && files?.lookup(pathHash, stat);
    const ids = answer?.ids;
    if (ids === undefined || !this.#haveAll(ids)) {
      this.#read(item, found, { firstStatus: answer?.known === true ? 'M' : 'A', pathHash });
      return true;
    }
    if (this.#options.verification?.isDue(pathHash!) === true) {
      this.#read(item, found, { firstStatus: 'M', pathHash, stored: ids });
      return true;
    }
    this.#addAttributes(item, found);
    this.#hardLinks.add(stat, item.path);
    if (this.#run.isIdle) this.#addStored(item, ids);
    else this.#addStoredLater(item, ids);
    this.status('U', path);
    return false;
  }

  #haveAll(ids: readonly Uint8Array[]): boolean {
    return ids.every((id) => this.#run.cache.refcount(id) > 0);
  }

  #addStoredLater(item: Item, ids: readonly Uint8Array[]): void {
    this.#run.push({ finish: () => this.#addStored(item, ids) });
  }

  #addStored(item: Item, ids: readonly Uint8Array[]): void {
    const { cache, writer } = this.#run;
    item.chunks = ids.map((id) => cache.incref(id, writer.statistics));
    item.size = totalSize(item.chunks);
    writer.statistics.files += 1;
    this.#run.addItem(item);
  }

  /** With `stored`, the ids by the files cache: only to compare with these. */
  #read(item: Item, found: OpenedObject, known: KnownBefore): void {
    const { path, fd, stat } = found;
    const file = new FoundFile(found, item, this.#options.nowNs(), known);
    const { noXattrs, noAcls, noFlags, numericIds, sparse } = this.#options;
    this.#hardLinks.begin(stat);
    const job = {
      path,
      fd,
      opened: stat,
      sizeHintBytes: isSpecial(stat.mode) ? undefined : stat.sizeBytes,
      sparse,
      xattrs: !noXattrs,
      acls: !noAcls,
      flags: !noFlags,
      numericIds,
    };
    this.#run.read(file, job, this.#outcome);
  }

  #settle(file: FoundFile, result: FileResult): void {
    settleFile(file, result, this.#collector, this.#options.filesChanged);
  }

  /** As #settle, for a file that is read to be compared. */
  async #verify(file: FoundFile, result: FileResult): Promise<void> {
    const { item, found, stat, stored, chunks } = file;
    const verification = this.#options.verification!;
    this.#settle(file, result);
    if (file.error === undefined) {
      const ids = chunks.map((chunk) => chunk.id);
      file.verdict = await verification.judge(this.#run, stored!, ids, stat!, result.statAfter);
    } else {
      // What can't be read any more is still in the repository: there it is right, as far as anybody can tell.
      try {
        this.#addAttributes(item, found);
        file.verdict = 'unreadable';
      } catch (error) {
        if (!(error instanceof BackupError)) throw error;
      }
    }
    if (file.verdict !== undefined) verification.count(file.verdict);
  }

  #finishFile(file: FoundFile): void {
    const { path, item, stat, chunks } = file;
    const { writer } = this.#run;
    if (file.verdict === 'unreadable') {
      this.#addStored(item, file.stored!);
      this.#hardLinks.add(stat!, item.path);
      this.#run.warn(file.error!.toWarning(path));
      this.status('E', path);
      return;
    }
    this.status(file.verdict === 'same' ? 'U' : file.firstStatus, path);
    if (file.error !== undefined) {
      if (stat !== undefined) this.#hardLinks.fail(stat);
      this.#run.warn(file.error.toWarning(path));
      this.status('E', path);
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
    this.status('C', path);
  }
}

/** The status of what has no content: symlinks, fifos, devices; undefined for what is none of them. */
function letterOf(mode: number): string | undefined {
  if (isSymlink(mode)) return 's';
  if (isFifo(mode)) return 'f';
  if (isCharacterDevice(mode)) return 'c';
  return isBlockDevice(mode) ? 'b' : undefined;
}
