/**
 * Steps that are ended in the order in which they were begun, whichever other threads are done with first: so that what is
 * said of them is in the archive's order.
 */

/** Many steps that a thread has been given. */
export interface Batch {
  /** Never rejected: what fails, the step's `end` throws. */
  readonly settled: Promise<void>;
  readonly isSettled: boolean;
}

export interface Step {
  /** What it waits for; absent where it only waits for its turn. */
  readonly batch?: Batch | undefined;
  end(): Promise<void> | void;
}

export class StepsInOrder {
  readonly #steps: Step[] = [];

  get count(): number {
    return this.#steps.length;
  }

  push(step: Step): void {
    this.#steps.push(step);
  }

  /** Ends those that need not be waited for. */
  async endReady(): Promise<void> {
    while (this.#steps.length > 0) {
      const first = this.#steps[0]!;
      if (first.batch?.isSettled === false) return;
      this.#steps.shift();
      const ended = first.end();
      if (ended !== undefined) await ended;
    }
  }

  /** Ends the first, when it can be, and those that can be then. */
  async endFirst(): Promise<void> {
    await this.#steps[0]?.batch?.settled;
    await this.endReady();
  }

  async endAll(): Promise<void> {
    while (this.#steps.length > 0) await this.endFirst();
  }
}
