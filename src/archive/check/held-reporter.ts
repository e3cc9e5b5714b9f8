/** Keeps to itself what it is told, in order, until it may be said. */
import type { BorgWarning } from '../../errors.ts';
import type {
  ArchiveCounts,
  LogLevel,
  MessageProgress,
  PercentProgress,
  Question,
  Reporter,
} from '../../util/reporter.ts';

export class HeldReporter implements Reporter {
  readonly #reporter: Reporter;
  readonly #maxHeld: number;
  readonly #onFull: () => void;
  /** Undefined from release() on. */
  #held: (() => void)[] | undefined = [];
  readonly #released = Promise.withResolvers<void>();

  /** `onFull` is called when there is more to keep than `maxHeld` calls, of which the rest is lost. */
  constructor(reporter: Reporter, maxHeld: number, onFull: () => void) {
    this.#reporter = reporter;
    this.#maxHeld = maxHeld;
    this.#onFull = onFull;
    // There may be nobody who waits.
    this.#released.promise.catch(() => {});
  }

  /** Says what it has kept, and everything else at once. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const say of held) say();
    this.#released.resolve();
  }

  /** Forgets what it has kept; whoever waits for release() gets the error. */
  drop(error: unknown): void {
    this.#held = this.#held && [];
    this.#released.reject(error);
  }

  /** Resolves at release(). */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  log(level: LogLevel, message: string, options?: { logger?: string; msgid?: string }): void {
    this.#say(() => this.#reporter.log(level, message, options));
  }

  tell(text: string): void {
    this.#say(() => this.#reporter.tell?.(text));
  }

  show(text: string): void {
    this.#say(() => this.#reporter.show?.(text));
  }

  warn(warning: BorgWarning): void {
    this.#say(() => this.#reporter.warn(warning));
  }

  fileStatus(status: string, path: Uint8Array): void {
    this.#say(() => this.#reporter.fileStatus(status, path));
  }

  archiveProgress(counts: ArchiveCounts, path?: Uint8Array): void {
    this.#say(() => this.#reporter.archiveProgress(counts, path));
  }

  archiveProgressEnd(): void {
    this.#say(() => this.#reporter.archiveProgressEnd());
  }

  percent(msgid: string, text: string, total: number): PercentProgress {
    let progress: PercentProgress | undefined;
    const say = (tell: (progress: PercentProgress) => void): void =>
      this.#say(() => tell((progress ??= this.#reporter.percent(msgid, text, total))));
    say(() => {});
    return {
      advance: (options) => say((shown) => shown.advance(options)),
      say: (line) => say((shown) => shown.say(line)),
      setTotal: (count) => say((shown) => shown.setTotal(count)),
      finish: () => say((shown) => shown.finish()),
    };
  }

  message(msgid: string): MessageProgress {
    let progress: MessageProgress | undefined;
    const say = (tell: (progress: MessageProgress) => void): void =>
      this.#say(() => tell((progress ??= this.#reporter.message(msgid))));
    say(() => {});
    return {
      show: (text) => say((shown) => shown.show(text)),
      finish: () => say((shown) => shown.finish()),
    };
  }

  async ask(question: Question): Promise<boolean> {
    await this.released;
    return this.#reporter.ask(question);
  }

  #say(say: () => void): void {
    if (this.#held === undefined) say();
    else if (this.#held.length < this.#maxHeld) this.#held.push(say);
    else this.#onFull();
  }
}
