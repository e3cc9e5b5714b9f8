/**
 * The check of the archives while that of the repository's files is under way. What it finds counts only if nothing is wrong
 * with those files, and is said only then, as if it had begun afterwards.
 */
import type { BesideCheck } from '../../repository/check/beside-check.ts';
import type { SegmentReader } from '../../repository/check/segments-ahead.ts';
import type { Context } from '../../util/context.ts';
import type { ArchivesCheckResult } from './check-archives.ts';
import { HeldReporter } from './held-reporter.ts';
import { SegmentThreads } from './segment-threads.ts';

/** A sound repository gives a few for each archive. */
const MAX_HELD = 10_000;

export interface BesideLimits {
  /** Threads for the repository's files. */
  readonly threads: number;
  readonly fromBytes: number;
}

export class ArchivesBeside implements BesideCheck {
  readonly fromBytes: number;
  readonly #threads: number;
  readonly #userSignal: AbortSignal;
  readonly #check: (ctx: Context) => Promise<ArchivesCheckResult>;
  readonly #ctx: Context;
  readonly #reporter: HeldReporter;
  readonly #stop = new AbortController();
  #isGivenUp = false;
  #result: Promise<ArchivesCheckResult> | undefined;

  /** `check` checks the archives. */
  constructor(
    ctx: Context,
    { threads, fromBytes }: BesideLimits,
    check: (ctx: Context) => Promise<ArchivesCheckResult>,
  ) {
    this.fromBytes = fromBytes;
    this.#threads = threads;
    this.#userSignal = ctx.signal;
    this.#check = check;
    this.#reporter = new HeldReporter(ctx.reporter, MAX_HELD, () => this.#giveUp());
    this.#ctx = {
      env: ctx.env,
      cwd: ctx.cwd,
      reporter: this.#reporter,
      signal: this.#stop.signal,
      // Asked for in its turn.
      readPassphrase: async (prompt) => {
        await this.#reporter.released;
        return ctx.readPassphrase(prompt);
      },
      nowNs: () => ctx.nowNs(),
    };
  }

  createReader(): SegmentReader {
    return new SegmentThreads(this.#threads);
  }

  begin(): void {
    // AbortSignal.any() would be asked for both signals at each look.
    const onAbort = (): void => this.#stop.abort(this.#userSignal.reason);
    this.#userSignal.addEventListener('abort', onAbort);
    if (this.#userSignal.aborted) onAbort();
    const checked = this.#check(this.#ctx);
    this.#result = checked.finally(() => this.#userSignal.removeEventListener('abort', onAbort));
    // Awaited in its turn; until then a failure must not count as nobody's.
    this.#result.catch(() => {});
  }

  async end(): Promise<void> {
    this.#giveUp();
    await this.#result?.catch(() => {});
  }

  /** What was found; undefined where nothing was begun, or it was given up. Throws what stops the check. */
  async result(): Promise<ArchivesCheckResult | undefined> {
    if (this.#isGivenUp) await this.end();
    else this.#reporter.release();
    return this.#isGivenUp ? undefined : this.#result;
  }

  #giveUp(): void {
    this.#isGivenUp = true;
    this.#stop.abort();
    this.#reporter.drop(this.#stop.signal.reason);
  }
}
