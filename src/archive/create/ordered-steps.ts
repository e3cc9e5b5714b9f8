/**
 * What an archive takes in, in the order of the walk: steps that take their time run side by side, but end one after
 * the other. Steps that are added while one ends come right behind that one.
 */
export interface Step {
  /** Settles, never rejects, when finish() may be called; undefined where it may at once. */
  readonly ready?: Promise<void>;
  finish(): void;
}

interface QueuedStep {
  readonly step: Step;
  isReady: boolean;
}

export class OrderedSteps {
  #steps: QueuedStep[] = [];
  #first = 0;
  /** Steps added by the one that is ending now. */
  #nested: QueuedStep[] | undefined;

  get length(): number {
    return this.#steps.length - this.#first;
  }

  /** Whether what comes next may be done at once. */
  get isIdle(): boolean {
    return this.#nested === undefined && this.length === 0;
  }

  /** Ends the step at once if nothing is before it and it is ready. */
  push(step: Step): void {
    const before = this.#nested ?? this.#steps;
    const first = this.#nested === undefined ? this.#first : 0;
    if (before.length === first && step.ready === undefined) return this.#finish(step);
    const queued = { step, isReady: step.ready === undefined };
    void step.ready?.then(() => (queued.isReady = true));
    before.push(queued);
  }

  /** Ends all steps at the head that are ready. */
  run(): void {
    for (let queued = this.#steps[this.#first]; queued?.isReady; queued = this.#steps[this.#first]) {
      this.#first += 1;
      this.#finish(queued.step);
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
    const unready: QueuedStep[] = [];
    for (const queued of waiting) {
      if (!queued.isReady) unready.push(queued);
      else {
        this.#finish(queued.step);
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
