/**
 * Where a tar comes from: a file or an open descriptor, directly or by way of a program that decompresses it.
 *
 * Source: Borg 1.4.5, archiver.py, do_import_tar; helpers/process.py, create_filter_process.
 */
import { setImmediate } from 'node:timers/promises';
import { GeneralError } from '../../errors.ts';
import { fstat, isRegular } from '../../platform/file-stat.ts';
import { closeFile, openRead } from '../../platform/open-file.ts';
import { describeOsError, isOsError } from '../../platform/os-error.ts';
import { spawnReader } from '../../platform/process.ts';
import { readFile, readFileAt, seekFile, waitReadable } from '../../platform/read-file.ts';
import { concatBytes } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { TarFilter } from './tar-filter.ts';
import { openTarFile, type TarFile } from './tar-output.ts';

/** Read at a time; what is to be read may be said to be much more than there is. */
const PIECE_BYTES = 2 ** 20;
/** How long the event loop stands still while nothing comes. */
const WAIT_MS = 5;

export class TarInput {
  /** To read contents from; they begin at `offset` of the file, or are what comes next. */
  readonly fd: number;
  readonly #ctx: Context;
  /** Where the tar begins in a file that can be read at any place. */
  readonly #base: number | undefined;
  readonly #file: { readonly fd: number; readonly owned: boolean };
  readonly #filter: TarFilter | undefined;
  #offsetBytes = 0;

  /** @throws GeneralError where the file can't be opened, or the filter not be started */
  static open(ctx: Context, file: TarFile, command: string | undefined): TarInput {
    if ('fd' in file) return new TarInput(ctx, { fd: file.fd, owned: false }, command);
    const fd = openTarFile(ctx, file.path, (path) => openRead(path, { noFollow: false, nonBlock: false }));
    return new TarInput(ctx, { fd, owned: true }, command);
  }

  private constructor(
    ctx: Context,
    file: { readonly fd: number; readonly owned: boolean },
    command: string | undefined,
  ) {
    this.#ctx = ctx;
    this.#file = file;
    try {
      if (command) this.#filter = TarFilter.start(ctx, command, spawnReader, { stdin: file.fd });
      this.fd = this.#filter?.fd ?? file.fd;
      const isFile = this.#filter === undefined && isRegular(fstat(file.fd).mode);
      this.#base = isFile ? seekFile(file.fd, 0, 'current') : undefined;
    } catch (error) {
      if (file.owned) closeFile(file.fd);
      throw error;
    }
  }

  /** In the tar. */
  get offsetBytes(): number {
    return this.#offsetBytes;
  }

  /** Where the bytes at an offset of the tar are in the file; undefined where it can only be read once, in order. */
  positionOf(offsetBytes: number): number | undefined {
    return this.#base === undefined ? undefined : this.#base + offsetBytes;
  }

  /** So many bytes; fewer at the end only. */
  async read(sizeBytes: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let left = sizeBytes; left > 0;) {
      const piece = await this.#readPiece(Math.min(left, PIECE_BYTES));
      if (piece.length === 0) break;
      pieces.push(piece);
      left -= piece.length;
    }
    return pieces.length === 1 ? pieces[0]! : concatBytes(pieces);
  }

  /** Goes on to an offset; false where the tar ends before it. */
  async skipTo(offsetBytes: number): Promise<boolean> {
    if (offsetBytes <= this.#offsetBytes) return true;
    if (this.#base !== undefined) {
      // The last byte tells whether all of it is there.
      this.#offsetBytes = offsetBytes - 1;
      if ((await this.read(1)).length === 1) return true;
      this.#offsetBytes = fstat(this.fd).sizeBytes - this.#base;
      return false;
    }
    while (this.#offsetBytes < offsetBytes) {
      const piece = await this.#readPiece(Math.min(PIECE_BYTES, offsetBytes - this.#offsetBytes));
      if (piece.length === 0) return false;
    }
    return true;
  }

  /** Somebody else has read so much from the descriptor. */
  passed(sizeBytes: number): void {
    this.#offsetBytes += sizeBytes;
  }

  /**
   * What comes behind the end of the tar: whether there is anything but zeros. Whoever writes to a pipe gets rid of
   * all of it, and a filter tells whether what it decompressed is sound.
   *
   * @throws GeneralError where the filter failed
   */
  async finish(): Promise<{ hasMore: boolean }> {
    let hasMore = false;
    for (;;) {
      const piece = await this.#readPiece(PIECE_BYTES);
      if (piece.length === 0) break;
      hasMore ||= piece.some((byte) => byte !== 0);
      if (hasMore && this.#base !== undefined) break;
    }
    await this.#filter?.finish();
    return { hasMore };
  }

  /** Where the tar is not whole, the reason may be that the filter failed: throws that, then. */
  async explainEnd(): Promise<void> {
    if (this.#filter === undefined || (await this.#readPiece(1)).length > 0) return;
    await this.#filter.finish();
  }

  /** To be called in any case. */
  async close(): Promise<void> {
    if (this.#filter !== undefined) {
      await this.#filter.kill();
      closeFile(this.#filter.fd);
    }
    if (this.#file.owned) closeFile(this.#file.fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #readPiece(maxBytes: number): Promise<Uint8Array> {
    const piece = new Uint8Array(maxBytes);
    try {
      const position = this.positionOf(this.#offsetBytes);
      if (position === undefined) await this.#waitReadable();
      const count = position === undefined ? readFile(this.fd, piece) : readFileAt(this.fd, piece, position);
      this.#offsetBytes += count;
      return piece.subarray(0, count);
    } catch (error) {
      if (!isOsError(error)) throw error;
      throw new GeneralError([`reading the tar: ${describeOsError(error)}`], error);
    }
  }

  async #waitReadable(): Promise<void> {
    while (!waitReadable(this.fd, WAIT_MS)) {
      await setImmediate();
      this.#ctx.signal.throwIfAborted();
    }
  }
}
