/**
 * Which parts of a file could be read: the mapfile of GNU ddrescue, text in lines.
 *
 *     # a comment
 *     current_pos  current_status  current_pass   (where ddrescue was; the pass may be missing)
 *     pos          size            status         (one line for each block, each beginning where the last one ended)
 *
 * Numbers are decimal, or hexadecimal with 0x, or octal with 0. Of the statuses `+` says that the block was read; `?`
 * (not tried), `*` (not trimmed), `/` (not scraped) and `-` (bad sectors) that it was not.
 * Errors: RescueMapError, naming the line.
 * Source: GNU ddrescue 1.27 manual, "Mapfile structure".
 */
import { ByteRanges } from '../util/byte-ranges.ts';

const READ = '+';
const BAD = '-';

export class RescueMapError extends Error {
  override readonly name = 'RescueMapError';
}

/** The map of a file of this size of which all but `bad` was read. */
export function encodeRescueMap(sizeBytes: number, bad: ByteRanges): string {
  const blocks = [
    ...[...bad.outside(sizeBytes)].map((range) => ({ ...range, status: READ })),
    ...[...bad.within(sizeBytes)].map((range) => ({ ...range, status: BAD })),
  ].toSorted((a, b) => a.offset - b.offset);
  const lines = blocks.map(
    ({ offset, ...block }) => `${hex(offset)}  ${hex(block.sizeBytes)}  ${block.status}`,
  );
  return [
    '# Mapfile. Created by alcove',
    '# current_pos  current_status  current_pass',
    `${hex(sizeBytes)}     +               1`,
    '#      pos        size  status',
    ...lines,
    '',
  ].join('\n');
}

/** What could not be read. */
export function decodeRescueMap(text: string): ByteRanges {
  const bad = new ByteRanges();
  let hasStatusLine = false;
  let end: bigint | undefined;
  for (const [number, line] of text.split(/\r?\n/).entries()) {
    const fail = (problem: string) => new RescueMapError(`line ${number + 1}: ${problem}`);
    const fields = line.replace(/#.*/, '').trim().split(/\s+/);
    if (fields[0] === '') continue;
    if (!hasStatusLine) {
      const [position, status] = fields;
      if (fields.length < 2 || fields.length > 3 || integer(position) === undefined)
        throw fail('no status line');
      if (!/^[?*/\-FG+]$/.test(status!)) throw fail(`unknown status ${JSON.stringify(status)}`);
      hasStatusLine = true;
      continue;
    }
    const offset = integer(fields[0]);
    const sizeBytes = integer(fields[1]);
    const status = fields[2] ?? '';
    if (fields.length !== 3 || offset === undefined || sizeBytes === undefined) throw fail('no block');
    if (!/^[?*/\-+]$/.test(status)) throw fail(`unknown status ${JSON.stringify(status)}`);
    if (end !== undefined && offset !== end) throw fail('the block does not begin where the last one ended');
    end = offset + sizeBytes;
    // ddrescue makes the last block as large as can be where it does not know the file's size.
    if (status !== READ) bad.add(safe(offset), safe(end) - safe(offset));
  }
  if (!hasStatusLine) throw new RescueMapError('no status line');
  return bad;
}

function integer(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return /^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text) ? BigInt(text) : undefined;
}

function safe(value: bigint): number {
  return Number(value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : value);
}

function hex(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(8, '0')}`;
}
