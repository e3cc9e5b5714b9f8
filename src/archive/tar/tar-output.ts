/**
 * Where a tar goes: a file or an open descriptor, directly or by way of a program that compresses it.
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

const BUFFER_BYTES = 256 * 1024;

export class TarOutput {
  readonly #fd: number;
  readonly #ownsFd: boolean;
  readonly #filter: TarFilter | undefined;
  readonly #writer: StreamWriter;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  #writtenBytes = 0;
  #inputClosed = false;
  #closed = false;

  /** @throws GeneralError where the file can't be opened, or the filter not be started */
  static open(ctx: Context, file: TarFile, filter: string | undefined): TarOutput {
    const fd = 'fd' in file ? file.fd : openTarFile(ctx, file.path, openOutput);
    return new TarOutput(ctx, fd, !('fd' in file), filter);
  }

  private constructor(ctx: Context, fd: number, ownsFd: boolean, command: string | undefined) {
    this.#fd = fd;
    this.#ownsFd = ownsFd;
    try {
      if (command) this.#filter = TarFilter.start(ctx, command, spawnWriter, { stdout: fd });
      this.#writer = new StreamWriter(this.#filter?.fd ?? fd, ctx.signal);
    } catch (error) {
      if (ownsFd) closeFile(fd);
      throw error;
    }
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
    this.#writer.close();
    if (this.#filter !== undefined) closeFile(this.#filter.fd);
  }

  #closeFile(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#ownsFd) closeFile(this.#fd);
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
