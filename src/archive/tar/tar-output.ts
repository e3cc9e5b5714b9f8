/**
 * Where a tar goes: a file or an open descriptor, directly or by way of a program that compresses it; or a function.
 *
 * Source: Borg 1.4.5, archiver.py, do_export_tar; helpers/process.py, create_filter_process.
 */
import { GeneralError } from '../../errors.ts';
import { BLOCK_BYTES, paddingBytes, RECORD_BYTES } from '../../format/tar-header.ts';
import { closeFile } from '../../platform/open-file.ts';
import { describeOsError, isOsError } from '../../platform/os-error.ts';
import { spawnWriter } from '../../platform/process.ts';
import { StreamWriter } from '../../platform/stream-writer.ts';
import { openOutput } from '../../platform/write-file.ts';
import type { Context } from '../../util/context.ts';
import { joinPath } from '../create/path-bytes.ts';
import { fromUtf8 } from '../../util/bytes.ts';
import { TarFilter } from './tar-filter.ts';

/** A path, relative to the context's folder, or a descriptor that stays open. */
export type TarFile = { readonly path: Uint8Array } | { readonly fd: number };

/** What takes a tar piece by piece; a piece may be used no longer than until the promise settles. */
export interface TarSink {
  readonly write: (data: Uint8Array) => Promise<void>;
}

const BUFFER_BYTES = 256 * 1024;

export class TarOutput {
  /** To be closed at the end. */
  readonly #ownFd: number | undefined;
  readonly #filter: TarFilter | undefined;
  readonly #writer: TarSink & { close?(): void };
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  #writtenBytes = 0;
  #inputClosed = false;
  #closed = false;

  /** A sink takes no filter. @throws GeneralError where the file can't be opened, or the filter not be started */
  static open(ctx: Context, file: TarFile | TarSink, command: string | undefined): TarOutput {
    if ('write' in file) {
      if (command) throw new GeneralError([`filter ${command}: it can only write into a file`]);
      return new TarOutput(file, undefined, undefined);
    }
    const ownFd = 'fd' in file ? undefined : openTarFile(ctx, file.path, openOutput);
    const fd = 'fd' in file ? file.fd : ownFd!;
    try {
      const filter = command ? TarFilter.start(ctx, command, spawnWriter, { stdout: fd }) : undefined;
      return new TarOutput(new StreamWriter(filter?.fd ?? fd, ctx.signal), filter, ownFd);
    } catch (error) {
      if (ownFd !== undefined) closeFile(ownFd);
      throw error;
    }
  }

  private constructor(
    writer: TarSink & { close?(): void },
    filter: TarFilter | undefined,
    ownFd: number | undefined,
  ) {
    this.#writer = writer;
    this.#filter = filter;
    this.#ownFd = ownFd;
  }

  /** May use `data` no longer than until it returns. */
  async write(data: Uint8Array): Promise<void> {
    this.#writtenBytes += data.length;
    if (this.#buffered + data.length > BUFFER_BYTES) {
      await this.#flush();
      if (data.length >= BUFFER_BYTES) return this.#send(data);
    }
    this.#buffer.set(data, this.#buffered);
    this.#buffered += data.length;
  }

  /** Fills up the last block of a member. */
  async pad(): Promise<void> {
    await this.write(new Uint8Array(paddingBytes(this.#writtenBytes)));
  }

  /**
   * Ends the tar, and waits until the filter has ended.
   *
   * @throws GeneralError where it failed
   */
  async finish(): Promise<void> {
    await this.write(new Uint8Array(2 * BLOCK_BYTES));
    await this.write(new Uint8Array((RECORD_BYTES - (this.#writtenBytes % RECORD_BYTES)) % RECORD_BYTES));
    await this.#flush();
    this.#closeInput();
    await this.#filter?.finish();
    this.#closeFile();
  }

  /** Gives up. To be called in any case. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#filter?.kill();
    this.#closeInput();
    this.#closeFile();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #flush(): Promise<void> {
    const data = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    await this.#send(data);
  }

  async #send(data: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(data);
    } catch (error) {
      if (!isOsError(error)) throw error;
      if (isOsError(error, 'EPIPE') && this.#filter !== undefined) {
        await this.#filter.finish();
        throw new GeneralError(['the filter ended before it had read all of the tar'], error);
      }
      throw new GeneralError([`writing the tar: ${describeOsError(error)}`], error);
    }
  }

  /** The filter sees the end only when nobody holds its input any more. */
  #closeInput(): void {
    if (this.#inputClosed) return;
    this.#inputClosed = true;
    this.#writer.close?.();
    if (this.#filter !== undefined) closeFile(this.#filter.fd);
  }

  #closeFile(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#ownFd !== undefined) closeFile(this.#ownFd);
  }
}

/** @throws GeneralError */
export function openTarFile(ctx: Context, path: Uint8Array, open: (path: Uint8Array) => number): number {
  try {
    return open(path.length === 0 ? path : joinPath(fromUtf8(ctx.cwd), path));
  } catch (error) {
    if (!isOsError(error)) throw error;
    throw new GeneralError([describeOsError(error, path)], error);
  }
}
