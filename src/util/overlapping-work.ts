/** Work of which many pieces may be under way at a time, since each waits more than it works. */
export class OverlappingWork {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Settles when the next piece may begin. Throws what an earlier one threw, or this one if it already has. */
  async add(work: Promise<void>): Promise<void> {
    const tracked: Promise<void> = work.then(
      () => void this.#running.delete(tracked),
      (error: unknown) => {
        this.#running.delete(tracked);
        this.#failure ??= { error };
      },
    );
    this.#running.add(tracked);
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all that was added; throws the first error. */
  async finish(): Promise<void> {
    await this.idle();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all that was added, whatever became of it. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
