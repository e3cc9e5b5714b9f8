/** Lets one asynchronous section run at a time, in the order of arrival. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Runs the section when all that came before have ended. */
  run<T>(section: () => Promise<T>): Promise<T> {
    const { isIdle } = this;
    this.#waiting += 1;
    const result = isIdle ? section() : this.#last.then(section);
    this.#last = result.then(
      () => void (this.#waiting -= 1),
      () => void (this.#waiting -= 1),
    );
    return result;
  }

  get isIdle(): boolean {
    return this.#waiting === 0;
  }
}
