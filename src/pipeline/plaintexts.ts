/** Plaintexts of all that is wanted one after the other, whoever wants them: objects of many files are opened together. */
export class Plaintexts {
  readonly #all: Iterator<Uint8Array | undefined, void>;
  #left = 0;

  constructor(all: Iterator<Uint8Array | undefined, void>) {
    this.#all = all;
  }

  /** The next ones, so many, are for one file, or one request. What was not asked for of those before is passed over. */
  begin(count: number): void {
    while (this.hasNext) this.next();
    this.#left = count;
  }

  get hasNext(): boolean {
    return this.#left > 0;
  }

  /** Good until the next is asked for; undefined for an object that is damaged. */
  next(): Uint8Array | undefined {
    this.#left--;
    return this.#all.next().value ?? undefined;
  }

  /** No more is wanted. */
  end(): void {
    this.#all.return?.();
  }
}
