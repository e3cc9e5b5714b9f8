/** Files and folders of the memory store, each with what is durable of it. */

/**
 * What of the unsynced work a crash keeps. `chooseKept(limit)` is asked once a folder (how many of its `limit`
 * unsynced changes, in order, were written) and once a file (how many of its `limit` unsynced bytes).
 */
export interface CrashPolicy {
  chooseKept(limit: number): number;
  /** Asked for each change behind those: true keeps it nevertheless, out of order. */
  keepsLater?(): boolean;
  /** The bytes that were not kept read as zeros, instead of the file being shorter. */
  zeroFilled?(): boolean;
  /** Asked for each block of 512 of the unsynced bytes that were kept: false leaves zeros in its place. */
  keepsBlock?(): boolean;
}

/** A disk writes whole blocks of this size, or not. */
const BLOCK_BYTES = 512;

export type MemoryNode = MemoryFile | MemoryFolder;
export type Names = ReadonlyMap<string, MemoryNode>;

/** Names set, or removed (undefined), by one atomic operation. */
type Change = readonly (readonly [name: string, node: MemoryNode | undefined])[];

export class MemoryFile {
  readonly kind = 'file';
  linkCount = 1;
  #bytes: Uint8Array = new Uint8Array(256);
  #sizeBytes = 0;
  #syncedBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  read(into: Uint8Array, position: number): number {
    const part = this.#bytes.subarray(0, this.#sizeBytes).subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  append(part: Uint8Array): void {
    const end = this.#sizeBytes + part.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(part, this.#sizeBytes);
    this.#sizeBytes = end;
  }

  overwrite(bytes: Uint8Array): void {
    this.#sizeBytes = Math.max(this.#sizeBytes, bytes.length);
    const whole = new Uint8Array(this.#sizeBytes);
    whole.set(this.#bytes.subarray(0, this.#sizeBytes));
    whole.set(bytes);
    this.#bytes = whole;
  }

  sync(): void {
    this.#syncedBytes = this.#sizeBytes;
  }

  afterCrash(policy: CrashPolicy): MemoryFile {
    const kept = this.#syncedBytes + policy.chooseKept(this.#sizeBytes - this.#syncedBytes);
    const copy = new MemoryFile();
    copy.append(this.#bytes.subarray(0, kept));
    if (policy.keepsBlock !== undefined) copy.#tear(this.#syncedBytes, () => policy.keepsBlock!());
    if (policy.zeroFilled?.() === true) copy.append(new Uint8Array(this.#sizeBytes - kept));
    copy.sync();
    copy.linkCount = 0;
    return copy;
  }

  #tear(syncedBytes: number, keepsBlock: () => boolean): void {
    for (let at = syncedBytes; at < this.#sizeBytes;) {
      const end = Math.min(this.#sizeBytes, BLOCK_BYTES * (Math.floor(at / BLOCK_BYTES) + 1));
      if (!keepsBlock()) this.#bytes.fill(0, at, end);
      at = end;
    }
  }
}

export class MemoryFolder {
  readonly kind = 'folder';
  readonly #names = new Map<string, MemoryNode>();
  readonly #durable = new Map<string, MemoryNode>();
  readonly #unsynced: Change[] = [];

  get names(): Names {
    return this.#names;
  }

  change(change: Change): void {
    apply(change, this.#names);
    this.#unsynced.push(change);
  }

  sync(): void {
    for (const change of this.#unsynced) apply(change, this.#durable);
    this.#unsynced.length = 0;
  }

  /** `copies` maps what was copied already, so that a file with two names stays one. */
  afterCrash(policy: CrashPolicy, copies: Map<MemoryFile, MemoryFile>): MemoryFolder {
    const names = new Map(this.#durable);
    const kept = policy.chooseKept(this.#unsynced.length);
    for (const [number, change] of this.#unsynced.entries()) {
      if (number < kept || policy.keepsLater?.() === true) apply(change, names);
    }
    const copy = new MemoryFolder();
    for (const [name, node] of names) copy.change([[name, copyOf(node, policy, copies)]]);
    copy.sync();
    return copy;
  }
}

function copyOf(node: MemoryNode, policy: CrashPolicy, copies: Map<MemoryFile, MemoryFile>): MemoryNode {
  if (node.kind === 'folder') return node.afterCrash(policy, copies);
  const copy = copies.get(node) ?? node.afterCrash(policy);
  copies.set(node, copy);
  copy.linkCount++;
  return copy;
}

function apply(change: Change, names: Map<string, MemoryNode>): void {
  for (const [name, node] of change) {
    if (node === undefined) names.delete(name);
    else names.set(name, node);
  }
}
