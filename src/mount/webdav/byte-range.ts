/**
 * The `Range` field of a request. Several ranges are served where they make one: parts of a file that don't touch are
 * answered with the whole, as RFC 9110 permits, since clients that ask for them are rare, and attacks by them are not.
 *
 * Source: RFC 9110, sections 14.1, 14.2 and 15.5.17.
 */
import { ByteRanges, type ByteRange } from '../../util/byte-ranges.ts';

const MAX_RANGES = 100;

/** Undefined where the whole is to be sent; `none` where the file has no such bytes. */
export function parseRange(field: string, fileSizeBytes: number): ByteRange | 'none' | undefined {
  const specs = /^bytes=(.*)$/i.exec(field.trim())?.[1]?.split(',');
  if (specs === undefined || specs.length > MAX_RANGES) return undefined;
  const ranges = new ByteRanges();
  let valid = 0;
  for (const spec of specs.map((text) => text.trim())) {
    if (spec === '') continue;
    const range = parseSpec(spec, fileSizeBytes);
    if (range === undefined) return undefined;
    ranges.add(range.offset, range.sizeBytes);
    valid += 1;
  }
  if (valid === 0) return undefined;
  const [first, second] = ranges;
  return second === undefined ? (first ?? 'none') : undefined;
}

/** A range without bytes where it lies behind the end. */
function parseSpec(spec: string, fileSizeBytes: number): ByteRange | undefined {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  const [, from = '', to = ''] = match ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '') {
    const sizeBytes = Math.min(Number(to), fileSizeBytes);
    return { offset: fileSizeBytes - sizeBytes, sizeBytes };
  }
  const offset = Number(from);
  const last = to === '' ? Infinity : Number(to);
  if (last < offset) return undefined;
  return { offset, sizeBytes: Math.max(0, Math.min(last + 1, fileSizeBytes) - offset) };
}
