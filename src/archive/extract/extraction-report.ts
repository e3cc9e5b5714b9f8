/** What is said of an extraction while it goes on: progress, paths, warnings, and what is worked on. */
import { IntegrityError, ObjectNotFound } from '../../errors.ts';
import type { Context } from '../../util/context.ts';
import type { PercentProgress } from '../../util/reporter.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import { BackupError } from '../backup-error.ts';
import { workText } from '../work-text.ts';

const LIST_LOGGER = { logger: 'borg.output.list' };

export class ExtractionReport {
  readonly #ctx: Context;
  readonly #lists: boolean;
  readonly #progress: PercentProgress | undefined;
  #current: { readonly path: Uint8Array; doneBytes: number } | undefined;

  constructor(ctx: Context, lists: boolean, progress: PercentProgress | undefined) {
    this.#ctx = ctx;
    this.#lists = lists;
    this.#progress = progress;
    ctx.reporter.working?.(
      () => this.#current && workText(this.#current.path, this.#current.doneBytes, undefined),
    );
  }

  /** The item is worked on from now on. */
  begin(path: Uint8Array): void {
    this.#current = { path, doneBytes: 0 };
  }

  /** `path` is where it is extracted. */
  list(path: Uint8Array): void {
    if (this.#lists) this.#ctx.reporter.log('info', toDisplayText(path), LIST_LOGGER);
  }

  /** So much of the item's contents is done. */
  advance(path: Uint8Array, sizeBytes: number): void {
    this.#progress?.advance({ steps: sizeBytes, info: [toDisplayText(path)] });
    if (this.#current !== undefined) this.#current.doneBytes += sizeBytes;
  }

  /** Counts contents; names the file where they can't be had. */
  async *counted(path: Uint8Array, contents: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const data of contents) {
        this.#ctx.signal.throwIfAborted();
        this.advance(path, data.length);
        yield data;
      }
    } catch (error) {
      this.nameDamaged(path, error);
      throw error;
    }
  }

  /** Names the file whose contents can't be had. */
  nameDamaged(path: Uint8Array, error: unknown): void {
    if (!(error instanceof ObjectNotFound || error instanceof IntegrityError)) return;
    this.#ctx.reporter.log(
      'error',
      `${toDisplayText(path)}: contents are missing or damaged in the repository`,
    );
  }

  /** Reports what goes wrong with one item; other errors are thrown again. */
  warn(path: Uint8Array, error: unknown): void {
    if (!(error instanceof BackupError)) throw error;
    this.#ctx.reporter.warn(error.toWarning(path));
  }

  finish(): void {
    this.#progress?.finish();
    this.#ctx.reporter.working?.(undefined);
  }
}
