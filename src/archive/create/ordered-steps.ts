/**
 * What an archive takes in, in the order of the walk: steps that take their time run side by side, but end one after
 * the other. Steps that are added while one ends come right behind that one.
 */
export interface Step {
  /** False as long as finish() may not be called. Default true. */
  isReady?: boolean;
  finish(): void;
}

export class OrderedSteps {
  #steps: Step[] = [];
  #first = 0;
  /** Steps added by the one that is ending now. */
  #nested: Step[] | undefined;

  get length(): number {
    return this.#steps.length - this.#first;
  }

  /** Whether what comes next may be done at once. */
  get isIdle(): boolean {
    return this.#nested === undefined ? this.length === 0 : this.#nested.length === 0;
  }

  /** Ends the step at once if nothing is before it and it is ready. */
  push(step: Step): void {
    const before = this.#nested ?? this.#steps;
    const first = this.#nested === undefined ? this.#first : 0;
    if (before.length === first && isReady(step)) this.#finish(step);
    else before.push(step);
  }

  /** Ends all steps at the head that are ready. */
  run(): void {
    for (;;) {
      const step = this.#steps[this.#first];
      if (step === undefined || !isReady(step)) break;
      this.#first += 1;
      this.#finish(step);
      if (this.#first < 1024) continue;
      this.#steps = this.#steps.slice(this.#first);
      this.#first = 0;
    }
    if (this.length > 0) return;
    this.#steps = [];
    this.#first = 0;
  }

  /** Ends all steps that are ready, also behind others that are not. */
  runAllReady(): void {
    const waiting = this.#steps.slice(this.#first);
    this.#steps = [];
    this.#first = 0;
    const unready: Step[] = [];
    for (const step of waiting) {
      if (!isReady(step)) unready.push(step);
      else {
        this.#finish(step);
        // What the step itself has added, and is not ready, waits in its place.
        unready.push(...this.#steps.splice(0));
      }
    }
    this.#steps = unready;
  }

  #finish(step: Step): void {
    // Nested in an ending step, with nothing before it: its own steps belong to the same place.
    if (this.#nested !== undefined) return step.finish();
    this.#nested = [];
    try {
      step.finish();
    } finally {
      const nested = this.#nested;
      this.#nested = undefined;
      if (nested.length > 0) this.#steps.splice(this.#first, 0, ...nested);
    }
  }
}

function isReady({ isReady: ready = true }: Step): boolean {
  return ready;
}
