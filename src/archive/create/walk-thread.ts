/**
 * The walk of a large tree in a thread of its own: it lists folders, asks for attributes and opens files while the main
 * thread makes items of what came before.
 */
import { GeneralError } from '../../errors.ts';
import { workerFile, WorkerThread } from '../../pipeline/worker-thread.ts';
import { closeFile } from '../../platform/open-file.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';
import type { InspectorOptions } from './inspector.ts';
import type { TreeWalk, WalkOptions, WalkState, WalkVisitor } from './tree-walk.ts';
import { WakeUp } from './wake-up.ts';
import { closeDescriptors, tellEvents, type WalkEvents } from './walk-events.ts';
import type { WalkWorkerStart } from './walk-worker.ts';

export interface WalkThreadOptions {
  readonly walk: Omit<WalkOptions, 'matcher'>;
  readonly matcher: PatternMatcher;
  readonly inspection: InspectorOptions;
  /** Steps of walks after which the thread is started, if it was not before: it takes some 25 ms of processor time. */
  readonly afterSteps: number;
  /** Ends the waiting for the thread. */
  readonly signal: AbortSignal;
}

export class WalkThread implements AsyncDisposable {
  readonly #options: WalkThreadOptions;
  #thread: WorkerThread<WalkWorkerStart, WalkState, WalkEvents> | undefined;
  #steps = 0;
  /** A walk that was given to the thread, and is not sent yet. */
  #given: WalkState | undefined;
  readonly #events: WalkEvents[] = [];
  readonly #news = new WakeUp();
  readonly #onAbort = (): void => this.#news.call();
  #failure: GeneralError | undefined;
  #ended: Promise<void> | undefined;

  constructor(options: WalkThreadOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.#onAbort);
  }

  /** Starts the thread, so that it is ready by the time when there is something to walk. */
  start(): void {
    const { walk, matcher, inspection } = this.#options;
    this.#thread = new WorkerThread(
      workerFile('walk', import.meta.url),
      { walk, matcher: matcher.description, inspection },
      {
        onMessage: (events) => this.#receive(events),
        onLateMessage: closeDescriptors,
        onFailure: (error) => this.#fail(error),
      },
    );
  }

  /** Whether it has started, so that nobody has to wait for it. */
  get isReady(): boolean {
    return this.#thread?.control.isReady === true;
  }

  /** Makes the steps of a walk, up to its end or to where the thread can take it over. */
  *begin(walk: TreeWalk, steps: Iterable<void>): Generator<void> {
    for (const _ of steps) {
      if (this.#thread === undefined && this.#steps++ === this.#options.afterSteps) this.start();
      if (this.isReady) this.#given ??= walk.giveAway();
      yield;
    }
  }

  /** Goes on with the walk, if the thread took it over, and tells the visitor; yields where it may also be left for good. */
  async *goOn(visitor: WalkVisitor): AsyncGenerator<void> {
    if (this.#given === undefined) return;
    this.#thread!.send(this.#given);
    this.#given = undefined;
    for (let isOver = false; !isOver;) {
      if (this.#failure !== undefined) throw this.#failure;
      const events = this.#events.shift();
      if (events === undefined) await this.#news.wait();
      else {
        isOver = events.last;
        this.#tell(events, visitor);
      }
      yield;
    }
  }

  /** Ends the thread, while others go on. */
  end(): void {
    this.#ended ??= this.#thread?.close();
  }

  /** Ends the thread, and closes what it has opened and nobody has taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.end();
    await this.#ended;
    for (const events of this.#events.splice(0)) closeDescriptors(events);
    for (const { fd } of this.#given?.frames ?? []) closeFile(fd);
  }

  #receive(events: WalkEvents): void {
    this.#events.push(events);
    this.#news.call();
  }

  #tell(events: WalkEvents, visitor: WalkVisitor): void {
    try {
      tellEvents(events, visitor);
    } finally {
      closeDescriptors(events);
    }
    this.#thread!.control.release(1);
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#failure ??= new GeneralError([`A worker thread failed: ${reason}`], error);
    this.#news.call();
  }
}
