/** Remembers what was used last, within a bound on its bytes. */
export class ByteCache<Key> {
  readonly #maxBytes: number;
  readonly #entries = new Map<Key, Uint8Array>();
  #sizeBytes = 0;

  /** Something larger than `maxBytes` is never kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Counts as a use. */
  get(key: Key): Uint8Array | undefined {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return undefined;
    // The order of a Map is that of insertion: the last is what was used last.
    this.#entries.delete(key);
    this.#entries.set(key, bytes);
    return bytes;
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  set(key: Key, bytes: Uint8Array): void {
    this.delete(key);
    if (bytes.length > this.#maxBytes) return;
    this.#entries.set(key, bytes);
    this.#sizeBytes += bytes.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#sizeBytes <= this.#maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: Key): void {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return;
    this.#entries.delete(key);
    this.#sizeBytes -= bytes.length;
  }

  clear(): void {
    this.#entries.clear();
    this.#sizeBytes = 0;
  }
}
