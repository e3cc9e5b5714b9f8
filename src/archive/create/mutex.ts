/** Lets one section run at a time, in the order of arrival. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Runs the section when all that came before have ended: at once, and without a promise, where that is possible. */
  run<T>(section: () => Promise<T>): Promise<T>;
  run<T>(section: () => T | Promise<T>): T | Promise<T>;
  run<T>(section: () => T | Promise<T>): T | Promise<T> {
    const result = this.isIdle ? section() : this.#last.then(section);
    if (!(result instanceof Promise)) return result;
    this.#waiting += 1;
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
