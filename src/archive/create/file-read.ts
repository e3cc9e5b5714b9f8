/** A file that is being read: who takes its chunks, and its step. One object for both, as there are many at a time. */
import type { FileResult, FileTaker, PipelineChunk } from '../../pipeline/file-job.ts';
import type { Step } from './ordered-steps.ts';
import type { PendingFile } from './pending-file.ts';

/** What is done with a file that was read; one object may serve many files. */
export interface ReadOutcome<File extends PendingFile = PendingFile> {
  /** Called as soon as the result is known; the file's turn comes when it is done. */
  settle(result: FileResult, file: File): void | Promise<void>;
  /** Called when nothing of the file is needed any more, also where there is no result. */
  close?(file: File): void;
  /** Called when it is the file's turn. */
  finish(file: File): void;
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

export class FileRead<File extends PendingFile> implements FileTaker, Step {
  /** Without a result its turn never comes: half a file must not pass for a whole one. */
  isReady = false;
  readonly #host: FileReadHost;
  readonly #file: File;
  readonly #outcome: ReadOutcome<File>;

  constructor(host: FileReadHost, file: File, outcome: ReadOutcome<File>) {
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
      settled = this.#outcome.settle(result, this.#file);
    } catch (error) {
      return this.fail(error);
    }
    if (settled === undefined) this.#end();
    else this.#endAfter(settled);
  }

  fail(error: unknown): void {
    this.#outcome.close?.(this.#file);
    this.#host.readEnded({ error });
  }

  finish(): void {
    this.#host.readFinished(this.#file);
    this.#outcome.finish(this.#file);
  }

  #endAfter(settled: Promise<void>): void {
    settled.then(
      () => this.#end(),
      (error: unknown) => this.fail(error),
    );
  }

  #end(): void {
    this.isReady = true;
    this.#outcome.close?.(this.#file);
    this.#host.readEnded();
  }
}
