/**
 * A key blob as text to print and to type in again. Bytes are in hex, in groups of six digits; each line ends with the
 * first two hex digits of a SHA-256, so that a slip is noticed in the line in which it was made:
 *
 *     BORG PAPER KEY v1
 *     id: <lines> / <id> / <checksum> - <of "lines/id/checksum" without blanks>
 *      1: <18 bytes> - <of the line's number, 2 bytes big-endian, and its bytes>
 *
 * `id` is the first 18 hex digits of the repository's id, `checksum` the first 12 of the whole blob's SHA-256.
 *
 * Source: Borg 1.4.5, crypto/keymanager.py, export_paperkey() and import_paperkey().
 */
import { sha256 } from '../crypto/sha256.ts';
import { fromHex, fromUtf8, toHex } from '../util/bytes.ts';

const LINE_BYTES = 18;
const ID_DIGITS = 18;
const CHECKSUM_DIGITS = 12;
const LINE_CHECKSUM_DIGITS = 2;
const GROUP_DIGITS = 6;
/** Of a blob that is far larger than any key. */
const MAX_LINES = 1000;

export function encodePaperKey(repositoryIdHex: string, blob: Uint8Array): string {
  const lines = Math.ceil(blob.length / LINE_BYTES);
  const id = repositoryIdHex.slice(0, ID_DIGITS);
  const checksum = paperChecksum(blob);
  const idChecksum = digits(fromUtf8(`${lines}/${id}/${checksum}`), LINE_CHECKSUM_DIGITS);
  let text = 'To restore key use borg key import --paper /path/to/repo\n\nBORG PAPER KEY v1\n';
  text += `id: ${lines} / ${grouped(id)} / ${grouped(checksum)} - ${idChecksum}\n`;
  for (let number = 1; number <= lines; number++) {
    const part = blob.subarray((number - 1) * LINE_BYTES, number * LINE_BYTES);
    text += `${lineLabel(number)}${grouped(toHex(part))} - ${lineChecksum(number, part)}\n`;
  }
  return text;
}

/** What a line of the body begins with. */
export function lineLabel(number: number): string {
  return `${String(number).padStart(2)}: `;
}

/** Of all bytes of the blob; the id line tells it. */
export function paperChecksum(blob: Uint8Array): string {
  return digits(blob, CHECKSUM_DIGITS);
}

/** Whether an id line's `id` is the repository's. */
export function isPaperIdOf(repositoryIdHex: string, id: string): boolean {
  return id === repositoryIdHex.slice(0, ID_DIGITS);
}

/** A line that was not typed right; the message says what to do, in Borg's words. */
export class PaperKeyError extends Error {
  override readonly name = 'PaperKeyError';
}

export interface PaperIdLine {
  readonly lines: number;
  readonly id: string;
  readonly checksum: string;
}

/** What follows `id: `. Throws a PaperKeyError. */
export function decodePaperIdLine(text: string): PaperIdLine {
  const [data, checksum] = partsOf(text);
  const fields = data.split('/');
  const [lineCount, id, wholeChecksum] = fields;
  if (fields.length !== 3) throw new PaperKeyError("the id line must contain exactly two '/', try again");
  if (digits(fromUtf8(data.toLowerCase()), LINE_CHECKSUM_DIGITS) !== checksum) {
    throw new PaperKeyError('line checksum did not match, try same line again');
  }
  const lines = /^\d+$/.test(lineCount!) ? Number(lineCount) : 0;
  if (lines < 1 || lines > MAX_LINES) throw new PaperKeyError('internal error while parsing length');
  return { lines, id: id!, checksum: wholeChecksum! };
}

/** What follows the label of line `number`. Throws a PaperKeyError. */
export function decodePaperLine(text: string, number: number): Uint8Array {
  const [data, checksum] = partsOf(text);
  const problem = hexProblem(data);
  if (problem !== undefined) {
    throw new PaperKeyError(`only characters 0-9 and a-f and '-' are valid, try again [${problem}]`);
  }
  const bytes = fromHex(data);
  if (lineChecksum(number, bytes) !== checksum) {
    throw new PaperKeyError(`line checksum did not match, try line ${number} again`);
  }
  return bytes;
}

function partsOf(text: string): [data: string, checksum: string] {
  const parts = text.replaceAll(' ', '').split('-');
  if (parts.length !== 2) throw new PaperKeyError("each line must contain exactly one '-', try again");
  return [parts[0]!, parts[1]!];
}

function hexProblem(text: string): string | undefined {
  if (/[^\p{ASCII}]/u.test(text)) return 'string argument should contain only ASCII characters';
  if (text.length % 2 !== 0) return 'Odd-length string';
  return /^[0-9a-fA-F]*$/.test(text) ? undefined : 'Non-hexadecimal digit found';
}

function lineChecksum(number: number, bytes: Uint8Array): string {
  const checked = new Uint8Array(2 + bytes.length);
  new DataView(checked.buffer).setUint16(0, number);
  checked.set(bytes, 2);
  return digits(checked, LINE_CHECKSUM_DIGITS);
}

function digits(data: Uint8Array, count: number): string {
  return toHex(sha256(data)).slice(0, count);
}

function grouped(text: string): string {
  return (text.match(new RegExp(`.{1,${GROUP_DIGITS}}`, 'g')) ?? []).join(' ');
}
