/** Reads segments for a check: their entries, or what is wrong and what can be saved. */
import { IntegrityError } from '../../errors.ts';
import { isReadError } from '../../store/store.ts';
import type { ByteRange } from '../../util/byte-ranges.ts';
import type { HashIndex } from '../../util/hash-index.ts';
import type { SegmentEntry } from '../segment-entries.ts';
import type { SegmentLog } from '../segment-log.ts';
import { EntryList } from './entry-list.ts';
import { salvageSegment } from './salvage.ts';
import type { Salvage } from './salvage.ts';
import type { SegmentsAhead } from './segments-ahead.ts';

export interface SoundSegment {
  readonly entries: EntryList;
  readonly problem?: undefined;
}

export interface UnsoundSegment extends Salvage {
  /** What is wrong first, in Borg's words where it is something that Borg finds too. */
  readonly problem: string;
}

export interface SegmentScanOptions {
  readonly badRanges?: ReadonlyMap<number, readonly ByteRange[]> | undefined;
  /** The index of the state that is checked, if it can be trusted. */
  readonly index?: HashIndex | undefined;
  /** Reads what is sound in less time. */
  readonly sound?: SegmentsAhead | undefined;
  /** Is shown the entries as they are read; what it has seen does not count where the segment turns out to be unsound. */
  readonly look?: ((entry: SegmentEntry) => void) | undefined;
}

export async function scanSegment(
  log: SegmentLog,
  segment: number,
  { badRanges, index, sound, look }: SegmentScanOptions,
): Promise<SoundSegment | UnsoundSegment> {
  const given = badRanges?.get(segment);
  if (given === undefined && look === undefined && sound !== undefined) {
    const entries = await sound.read(segment);
    if (entries !== undefined) return { entries };
  }
  const problem = given === undefined ? undefined : `${given.length} ranges are given as bad`;
  const read = problem === undefined ? readSound(log, segment, look) : { problem };
  if ('entries' in read) return read;
  const file = log.files.store.openFile(log.files.path(segment));
  try {
    const salvage = await salvageSegment(file, segment, { bad: given, index, breathe });
    return { ...salvage, problem: salvage.bad.isEmpty ? read.problem : unreadable(segment, salvage) };
  } finally {
    file.close();
  }
}

/** Other work of this process gets its turn. */
export async function breathe(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function readSound(
  log: SegmentLog,
  segment: number,
  look: SegmentScanOptions['look'],
): SoundSegment | { problem: string } {
  const entries = new EntryList();
  try {
    for (const entry of log.entries(segment)) {
      look?.(entry);
      entries.push(entry);
    }
    return { entries };
  } catch (error) {
    if (error instanceof IntegrityError) return { problem: error.message };
    if (isReadError(error)) return { problem: (error as Error).message };
    throw error;
  }
}

function unreadable(segment: number, { bad }: Salvage): string {
  const first = [...bad][0]!;
  const others = bad.count > 1 ? `, ${bad.sizeBytes} bytes in ${bad.count} places` : '';
  return `Segment data unreadable [segment ${segment}, offset ${first.offset}]: ${first.sizeBytes} bytes${others}`;
}
