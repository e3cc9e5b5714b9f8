/** A file that is being read: who takes its chunks, and its step. One object for both, as there are many at a time. */
import type { FileResult, FileTaker, PipelineChunk } from '../../pipeline/file-job.ts';
import type { Step } from './ordered-steps.ts';
import type { PendingFile } from './pending-file.ts';

/** What is done with a file that was read. */
export interface ReadOutcome {
  /** Called as soon as the result is known; the file's turn comes when it is done. */
  settle(result: FileResult): void | Promise<void>;
  /** Called when nothing of the file is needed any more, also where there is no result. */
  close?(): void;
  /** Called when it is the file's turn. */
  finish(): void;
}

/** Whom the file is read for. */
export interface FileReadHost {
  /** Stores a chunk of the file. */
  addChunk(file: PendingFile, chunk: PipelineChunk): void | Promise<void>;
  /** The file needs nothing any more, its turn aside; without a result there is an error. */
  readEnded(failure?: { readonly error: unknown }): void;
  /** It is the file's turn. */
  readFinished(file: PendingFile): void;
}

export class FileRead implements FileTaker, Step {
  /** Without a result its turn never comes: half a file must not pass for a whole one. */
  isReady = false;
  readonly #host: FileReadHost;
  readonly #file: PendingFile;
  readonly #outcome: ReadOutcome;

  constructor(host: FileReadHost, file: PendingFile, outcome: ReadOutcome) {
    this.#host = host;
    this.#file = file;
    this.#outcome = outcome;
  }

  takeChunk(chunk: PipelineChunk): void | Promise<void> {
    return this.#host.addChunk(this.#file, chunk);
  }

  takeResult(result: FileResult): void {
    let settled: void | Promise<void>;
    try {
      settled = this.#outcome.settle(result);
    } catch (error) {
      return this.fail(error);
    }
    if (settled === undefined) return this.#end();
    settled.then(
      () => this.#end(),
      (error: unknown) => this.fail(error),
    );
  }

  fail(error: unknown): void {
    this.#outcome.close?.();
    this.#host.readEnded({ error });
  }

  finish(): void {
    this.#host.readFinished(this.#file);
    this.#outcome.finish();
  }

  #end(): void {
    this.isReady = true;
    this.#outcome.close?.();
    this.#host.readEnded();
  }
}
