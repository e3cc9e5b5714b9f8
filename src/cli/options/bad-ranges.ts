import { GeneralError } from '../../errors.ts';
import { decodeRescueMap, RescueMapError } from '../../format/rescue-map.ts';
import type { ByteRange } from '../../util/byte-ranges.ts';
import { InvalidValue, type OptionSpec, type ParseValue } from './option.ts';

/** Which parts of which segment are bad. */
export type SegmentBadRanges = readonly [segment: number, ranges: readonly ByteRange[]];

const parseBadRanges: ParseValue = async (text, context): Promise<SegmentBadRanges> => {
  const match = /^(?<segment>\d{1,10})=(?<path>.+)$/s.exec(text)?.groups;
  if (match === undefined) throw new InvalidValue(`a segment's number, = and a file are required: ${text}`);
  const path = match['path']!;
  let map: Uint8Array;
  try {
    map = await context.readFile(path);
  } catch (error) {
    const { describeOsError } = await import('../../platform/os-error.ts');
    throw new GeneralError([describeOsError(error, path)], error);
  }
  try {
    return [Number(match['segment']), [...decodeRescueMap(Buffer.from(map).toString('utf8'))]];
  } catch (error) {
    if (error instanceof RescueMapError) throw new GeneralError([`${path}: ${error.message}`], error);
    throw error;
  }
};

/** One segment may have been given more than once, e.g. with the maps of two disks. */
export function badRangesBySegment(given: readonly SegmentBadRanges[]): Map<number, readonly ByteRange[]> {
  const bySegment = new Map<number, readonly ByteRange[]>();
  for (const [segment, ranges] of given) {
    bySegment.set(segment, [...(bySegment.get(segment) ?? []), ...ranges]);
  }
  return bySegment;
}

/** May be given for each segment that was read from a bad disk. */
export const badRangesOption: OptionSpec = {
  flags: ['--bad-ranges'],
  dest: 'badRanges',
  action: 'append',
  metavar: 'SEGMENT=MAPFILE',
  parse: parseBadRanges,
  completes: 'files',
  fallback: [],
  beyondBorg: true,
  help: "believe nothing of a segment file's parts that GNU ddrescue could not read, by its mapfile",
};
