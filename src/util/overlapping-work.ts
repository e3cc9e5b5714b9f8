/** Work of which many pieces may be under way at a time, since each waits more than it works. */
export class OverlappingWork {
  readonly #limit: number;
  #running = 0;
  /** Only where somebody waits for the next end. */
  #ended: PromiseWithResolvers<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Settles when the next piece may begin. Throws what an earlier one threw, or this one if it already has. */
  async add(work: Promise<void>): Promise<void> {
    this.#running++;
    work.then(
      () => this.#end(),
      (error: unknown) => {
        this.#failure ??= { error };
        this.#end();
      },
    );
    while (this.#running >= this.#limit) await this.#nextEnd();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all that was added; throws the first error. */
  async finish(): Promise<void> {
    await this.idle();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all that was added, whatever became of it. */
  async idle(): Promise<void> {
    while (this.#running > 0) await this.#nextEnd();
  }

  #nextEnd(): Promise<void> {
    this.#ended ??= Promise.withResolvers<void>();
    return this.#ended.promise;
  }

  #end(): void {
    this.#running--;
    this.#ended?.resolve();
    this.#ended = undefined;
  }
}
