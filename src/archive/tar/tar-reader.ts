/**
 * The members of a tar, one after the other, in whatever format: V7, ustar, GNU, pax; sparse files of GNU in all of
 * its formats.
 *
 * What Python's tarfile, by which Borg reads, passes over without a word is said here: it takes a header that is
 * damaged, or cut off, for the end.
 *
 * Source: Python 3.14, tarfile.py, TarFile.next and TarInfo._proc_member.
 */
import { GeneralError, GeneralWarning } from '../../errors.ts';
import { decodePaxRecords } from '../../format/pax-records.ts';
import {
  BLOCK_BYTES,
  decodeTarHeader,
  isZeroBlock,
  paddingBytes,
  TAR_TYPE,
  type TarHeader,
} from '../../format/tar-header.ts';
import { TarFormatError } from '../../format/tar-number.ts';
import {
  checkSparseMap,
  decodeSparseBlock,
  decodeSparseHeader,
  decodeSparseRecords,
  MAX_SPARSE_STRETCHES,
  parseSparseNumber,
} from '../../format/tar-sparse.ts';
import { toBinaryString } from '../../util/bytes.ts';
import type { Reporter } from '../../util/reporter.ts';
import {
  type Extension,
  hasContents,
  type MemberFields,
  memberFields,
  type TarContents,
  type TarMember,
} from './tar-member.ts';
import type { TarInput } from './tar-input.ts';

export interface TarReaderOptions {
  /** Go on behind what ends a tar, and behind what is no header. */
  readonly ignoreZeros: boolean;
}

/** What may stand before one member, so that memory has a bound. */
const MAX_EXTENSION_BYTES = 16 * 2 ** 20;
const MAX_EXTENSIONS = 64;
/** Of pax headers, what is for us. */
const KEYWORDS = /^(?:path|linkpath|size|mtime|uid|gid|uname|gname|GNU\.sparse\..*|BORG\.item\..*)$/s;
const DIGIT_LINE_BYTES = 20;

interface Sparse {
  readonly numbers: readonly number[];
  readonly fileSizeBytes: number;
}

export class TarReader {
  readonly #input: TarInput;
  readonly #reporter: Reporter;
  readonly #ignoreZeros: boolean;
  readonly #global = new Map<string, Uint8Array>();
  /** Where the next header is. */
  #nextOffset = 0;
  /** Whether the last block was one of zeros: the mark of an end. */
  #endMarked = false;
  /** Where blocks begin that are no headers. */
  #garbageOffset: number | undefined;

  constructor(input: TarInput, reporter: Reporter, options: TarReaderOptions) {
    this.#input = input;
    this.#reporter = reporter;
    this.#ignoreZeros = options.ignoreZeros;
  }

  /**
   * The next member; undefined at the end. Its contents are to be read from the input before the next one is asked for,
   * or by position; what was not read is passed over.
   *
   * @throws GeneralError where the tar is damaged
   */
  async next(): Promise<TarMember | undefined> {
    if (!(await this.#input.skipTo(this.#nextOffset))) throw this.#error('unexpected end of data');
    const extensions: Extension[] = [];
    let extensionBytes = 0;
    for (;;) {
      const block = await this.#nextHeader(extensions.length > 0);
      if (block === undefined) return undefined;
      const { header } = block;
      const offset = this.#input.offsetBytes - BLOCK_BYTES;
      if (!isExtension(header.type)) {
        return await this.#at(offset, () => this.#member(header, block.bytes, extensions));
      }
      const sizeBytes = Number(header.sizeBytes);
      extensionBytes += sizeBytes;
      if (sizeBytes < 0 || extensionBytes > MAX_EXTENSION_BYTES || extensions.length >= MAX_EXTENSIONS) {
        const limit = `${MAX_EXTENSIONS} extended headers with ${MAX_EXTENSION_BYTES} bytes`;
        throw this.#error(`more than ${limit} before one member`, offset);
      }
      const data = await this.#readExactly(sizeBytes);
      await this.#skipPadding(sizeBytes);
      const extension = await this.#at(offset, () => this.#extension(header.type, data));
      if (extension !== undefined) extensions.push(extension);
      this.#nextOffset = this.#input.offsetBytes;
    }
  }

  /** A header that can be read; undefined at the end of the tar. */
  async #nextHeader(isExpected: boolean): Promise<{ bytes: Uint8Array; header: TarHeader } | undefined> {
    for (;;) {
      const bytes = await this.#input.read(BLOCK_BYTES);
      const offset = this.#input.offsetBytes - bytes.length;
      if (bytes.length === BLOCK_BYTES && !isZeroBlock(bytes)) {
        const header = this.#decode(bytes, offset, isExpected);
        if (header === undefined) continue;
        this.#reportGarbage(offset);
        this.#endMarked = false;
        return { bytes, header };
      }
      if (isExpected) throw this.#error('an extended header without a member behind it', offset);
      if (offset === 0 && bytes.length < BLOCK_BYTES) {
        throw new GeneralError([
          bytes.length === 0 ? 'not a tar file: empty file' : notTar('truncated header'),
        ]);
      }
      if (bytes.length === BLOCK_BYTES) {
        this.#reportGarbage(offset);
        this.#endMarked = true;
        if (!this.#ignoreZeros) return undefined;
        continue;
      }
      this.#reportGarbage(offset);
      this.#endOfInput(bytes, offset);
      return undefined;
    }
  }

  #endOfInput(rest: Uint8Array, offset: number): void {
    if (rest.some((byte) => byte !== 0)) {
      if (!this.#ignoreZeros) throw this.#error('truncated header', offset);
      this.#warn(`tar: ${rest.length} bytes at byte ${offset} are no header and were left out`);
    } else if (!this.#endMarked && rest.length === 0) {
      this.#warn(`tar: ends at byte ${offset} without the zeros that mark the end: something may be missing`);
    }
  }

  /** Undefined for what is no header, where that is to be passed over. */
  #decode(block: Uint8Array, offset: number, isExpected: boolean): TarHeader | undefined {
    try {
      return decodeTarHeader(block);
    } catch (error) {
      if (!(error instanceof TarFormatError)) throw error;
      if (!isExpected && this.#ignoreZeros) {
        this.#garbageOffset ??= offset;
        return undefined;
      }
      if (offset === 0) throw new GeneralError([notTar(error.message)], error);
      throw this.#error(`invalid header: ${error.message}`, offset);
    }
  }

  #reportGarbage(end: number): void {
    if (this.#garbageOffset === undefined) return;
    const sizeBytes = end - this.#garbageOffset;
    this.#warn(`tar: ${sizeBytes} bytes at byte ${this.#garbageOffset} are no header and were left out`);
    this.#garbageOffset = undefined;
  }

  #extension(type: string, data: Uint8Array): Extension | undefined {
    if (type === TAR_TYPE.gnuLongName) return { kind: 'name', text: data };
    if (type === TAR_TYPE.gnuLongLink) return { kind: 'link', text: data };
    const own = decodePaxRecords(data).filter(({ keyword }) => KEYWORDS.test(keyword));
    const records = type === TAR_TYPE.globalPaxHeader ? this.#global : new Map(this.#global);
    for (const { keyword, value } of own) {
      // A sparse file's records are for one file.
      if (records === this.#global && /^(?:GNU|BORG)\./.test(keyword)) continue;
      records.set(keyword, value);
    }
    return records === this.#global ? undefined : { kind: 'pax', records, own };
  }

  async #member(header: TarHeader, block: Uint8Array, extensions: readonly Extension[]): Promise<TarMember> {
    const fields = memberFields(header, this.#global, extensions);
    const pax = extensions.find((extension) => extension.kind === 'pax');
    let contents: TarContents | undefined;
    this.#nextOffset = this.#input.offsetBytes;
    if (hasContents(header.type)) {
      const start = this.#input.offsetBytes;
      const sparse = await this.#sparse(header, block, fields, pax);
      contents = await this.#contents(
        fields.storedBytes,
        header.type === TAR_TYPE.gnuSparse ? undefined : start,
        sparse,
      );
    }
    const { storedBytes: _, ...rest } = fields;
    return { ...rest, contents, pax: pax?.records ?? this.#global };
  }

  /** `start`: where what is stored begins, the map in front of it included. */
  async #contents(
    storedBytes: number,
    start: number | undefined,
    sparse: Sparse | undefined,
  ): Promise<TarContents> {
    const offsetBytes = this.#input.offsetBytes;
    const first = start ?? offsetBytes;
    this.#nextOffset = first + storedBytes + paddingBytes(storedBytes);
    const dataBytes = storedBytes - (offsetBytes - first);
    const stretches =
      sparse &&
      checkSparseMap(sparse.numbers, { fileSizeBytes: sparse.fileSizeBytes, storedBytes: dataBytes });
    return {
      offsetBytes,
      storedBytes: dataBytes,
      sizeBytes: sparse?.fileSizeBytes ?? storedBytes,
      stretches,
    };
  }

  async #sparse(
    header: TarHeader,
    block: Uint8Array,
    fields: MemberFields,
    pax: (Extension & { readonly kind: 'pax' }) | undefined,
  ): Promise<Sparse | undefined> {
    if (header.type === TAR_TYPE.gnuSparse) return await this.#oldSparse(block);
    const value = (name: string): string | undefined => {
      const bytes = pax?.records.get(`GNU.sparse.${name}`);
      return bytes && toBinaryString(bytes);
    };
    const size = value('realsize') ?? value('size');
    const isNew = value('major') === '1' && value('minor') === '0';
    if (pax === undefined || (size === undefined && !isNew && value('map') === undefined)) return undefined;
    const fileSizeBytes = size === undefined ? fields.storedBytes : parseSparseNumber(size);
    return {
      fileSizeBytes,
      numbers: isNew ? await this.#readSparseMap(fields) : decodeSparseRecords(pax.own),
    };
  }

  async #oldSparse(block: Uint8Array): Promise<Sparse> {
    const { numbers, isExtended, fileSizeBytes } = decodeSparseHeader(block);
    for (let more = isExtended; more;) {
      const entries = decodeSparseBlock(await this.#readExactly(BLOCK_BYTES));
      for (const number of entries.numbers) numbers.push(number);
      more = entries.isExtended;
      checkStretchCount(numbers.length / 2);
    }
    return { numbers, fileSizeBytes };
  }

  /** The map of the format 1.0, in front of the contents and counted with them. */
  async #readSparseMap({ storedBytes }: MemberFields): Promise<number[]> {
    const start = this.#input.offsetBytes;
    const numbers: number[] = [];
    let text = '';
    let at = 0;
    const nextNumber = async (): Promise<number> => {
      let end = text.indexOf('\n', at);
      if (end < 0) {
        text = text.slice(at);
        at = 0;
        if (
          text.length > DIGIT_LINE_BYTES ||
          this.#input.offsetBytes - start + BLOCK_BYTES > asBlocks(storedBytes)
        ) {
          throw new TarFormatError('the map of a sparse file has no end');
        }
        text += toBinaryString(await this.#readExactly(BLOCK_BYTES));
        end = text.indexOf('\n');
        if (end < 0) throw new TarFormatError('the map of a sparse file has no end');
      }
      const number = parseSparseNumber(text.slice(at, end));
      at = end + 1;
      return number;
    };
    const count = await nextNumber();
    checkStretchCount(count);
    while (numbers.length < 2 * count) numbers.push(await nextNumber());
    return numbers;
  }

  async #readExactly(sizeBytes: number): Promise<Uint8Array> {
    const data = await this.#input.read(sizeBytes);
    if (data.length < sizeBytes) throw this.#error('unexpected end of data');
    return data;
  }

  async #skipPadding(sizeBytes: number): Promise<void> {
    await this.#readExactly(paddingBytes(sizeBytes));
  }

  async #at<T>(offset: number, call: () => T | Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof TarFormatError)) throw error;
      throw this.#error(`invalid header: ${error.message}`, offset);
    }
  }

  #warn(text: string): void {
    this.#reporter.warn(new GeneralWarning([text]));
  }

  #error(problem: string, offset = this.#input.offsetBytes): GeneralError {
    return tarError(problem, offset);
  }
}

export function tarError(problem: string, offsetBytes: number): GeneralError {
  return new GeneralError([`the tar is damaged at byte ${offsetBytes}: ${problem}`]);
}

function notTar(problem: string): string {
  return `not a tar file: ${problem}. If it is compressed, --tar-filter names the command that decompresses it`;
}

function checkStretchCount(count: number): void {
  if (count <= MAX_SPARSE_STRETCHES) return;
  throw new TarFormatError(`a sparse file of more than ${MAX_SPARSE_STRETCHES} stretches`);
}

function asBlocks(sizeBytes: number): number {
  return sizeBytes + paddingBytes(sizeBytes);
}

const EXTENSIONS: ReadonlySet<string> = new Set([
  TAR_TYPE.gnuLongName,
  TAR_TYPE.gnuLongLink,
  TAR_TYPE.paxHeader,
  TAR_TYPE.globalPaxHeader,
  TAR_TYPE.solarisPaxHeader,
]);

function isExtension(type: string): boolean {
  return EXTENSIONS.has(type);
}
