/** Lets one waiter sleep until anyone calls. */
export class WakeUp {
  #promise: Promise<void> | undefined;
  #resolve: (() => void) | undefined;

  /** Settles at the next call(). */
  wait(): Promise<void> {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#promise;
  }

  call(): void {
    this.#resolve?.();
    this.#promise = undefined;
    this.#resolve = undefined;
  }
}
