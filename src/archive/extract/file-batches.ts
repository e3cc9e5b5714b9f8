/** Gathers files with their objects into batches, and has them written: with few messages, a bounded number at a time. */
import type { FileOutcome, FileWrite } from '../../pipeline/file-write.ts';
import type { SealedInput } from '../../pipeline/open-batch.ts';
import type { DirectoryRoot, FolderLease } from '../../platform/directory-root.ts';
import { isPlace, releaseSealed } from '../../util/sealed.ts';
import type { Batch } from './steps-in-order.ts';

/** A batch ends with the file, or the part of one, that makes it this large, */
export const BATCH_BYTES = 512 * 1024;
/** if it has so many objects, as few are opened together in less time, */
const BATCH_OBJECTS = 4;
/** or is this large, */
const MAX_BATCH_BYTES = 8 * 2 ** 20;
/** or with so many files, */
const BATCH_FILES = 256;
/** or folders, which stay open meanwhile, */
const BATCH_FOLDERS = 32;
/** or files that its objects lie in, which do, too. */
const BATCH_SEGMENTS = 32;

type Write = (objects: readonly SealedInput[], writes: readonly FileWrite[]) => Promise<FileOutcome[]>;

/** A write on its way. */
export class WriteTicket {
  readonly batch: FileBatch;
  readonly #number: number;

  constructor(batch: FileBatch, number: number) {
    this.batch = batch;
    this.#number = number;
  }

  /** Once the batch is settled. Throws where the threads failed. */
  outcome(): FileOutcome {
    return this.batch.outcome(this.#number);
  }
}

export class FileBatches {
  readonly #write: Write;
  readonly #root: DirectoryRoot;
  readonly #underWay = new Set<FileBatch>();
  #next = new FileBatch();

  /** New files are made in folders of this root. */
  constructor(write: Write, root: DirectoryRoot) {
    this.#write = write;
    this.#root = root;
  }

  /** How many batches are being written. */
  get underWayCount(): number {
    return this.#underWay.size;
  }

  /** How much was gathered and not sent yet. */
  get sizeBytes(): number {
    return this.#next.sizeBytes;
  }

  get isFull(): boolean {
    const { objects, sizeBytes, writes, leases, segments } = this.#next;
    if (leases.size >= BATCH_FOLDERS || segments.size >= BATCH_SEGMENTS) return true;
    return writes.length >= BATCH_FILES || areEnough(objects, sizeBytes);
  }

  /** Takes over the objects' memory. A new file's folder is the one that the root gave last. */
  add(write: FileWrite, objects: readonly SealedInput[], sizeBytes: number): WriteTicket {
    const batch = this.#next;
    const { target } = write;
    if ('at' in target && !batch.leases.has(target.at.directoryFd)) {
      batch.leases.set(target.at.directoryFd, this.#root.lease());
    }
    for (const object of objects) {
      batch.objects.push(object);
      if (isPlace(object.sealed)) batch.segments.add(object.sealed.fd);
    }
    batch.sizeBytes += sizeBytes;
    return new WriteTicket(batch, batch.writes.push(write) - 1);
  }

  /** Has those that were gathered written. */
  send(): void {
    const batch = this.#next;
    if (batch.writes.length === 0) return;
    this.#next = new FileBatch();
    this.#underWay.add(batch);
    void batch.settle(this.#write(batch.objects, batch.writes), () => this.#underWay.delete(batch));
  }

  /** Gives up those that were gathered. */
  drop(): void {
    const { objects, leases } = this.#next;
    this.#next = new FileBatch();
    for (const { sealed } of objects) releaseSealed(sealed);
    for (const lease of leases.values()) lease.release();
  }

  /** Waits until nothing is being written any more. */
  async idle(): Promise<void> {
    await Promise.all([...this.#underWay].map(({ settled }) => settled));
  }
}

/** Whether objects of so many bytes are a batch. What is in memory does not wait for more. */
export function areEnough(objects: readonly SealedInput[], sizeBytes: number): boolean {
  if (sizeBytes < BATCH_BYTES) return false;
  if (objects.length >= BATCH_OBJECTS || sizeBytes >= MAX_BATCH_BYTES) return true;
  return !objects.every(({ sealed }) => isPlace(sealed));
}

class FileBatch implements Batch {
  readonly objects: SealedInput[] = [];
  readonly writes: FileWrite[] = [];
  /** By descriptor. */
  readonly leases = new Map<number, FolderLease>();
  /** Descriptors. */
  readonly segments = new Set<number>();
  sizeBytes = 0;
  isSettled = false;
  readonly #settling = Promise.withResolvers<void>();
  #outcomes: readonly FileOutcome[] = [];
  #failure: { readonly error: unknown } | undefined;

  get settled(): Promise<void> {
    return this.#settling.promise;
  }

  outcome(index: number): FileOutcome {
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#outcomes[index]!;
  }

  async settle(outcomes: Promise<readonly FileOutcome[]>, onSettled: () => void): Promise<void> {
    try {
      this.#outcomes = await outcomes;
    } catch (error) {
      this.#failure = { error };
    }
    for (const lease of this.leases.values()) lease.release();
    // The batch is remembered by its steps.
    this.objects.length = 0;
    this.isSettled = true;
    onSettled();
    this.#settling.resolve();
  }
}
