/** Telling a repository of Borg's predecessor. Source: Borg 1.4.5 repository.py, open. */
import { IntegrityError } from '../errors.ts';
import { ATTIC_SEGMENT_MAGIC } from '../format/segment.ts';
import { isReadError } from '../store/store.ts';
import { equalBytes } from '../util/bytes.ts';
import type { SegmentLog } from './segment-log.ts';

/** Throws an InvalidRepositoryConfig where the last segment is in a folder in which it is not looked for. */
export function isAttic(log: SegmentLog): boolean {
  const latest = log.files.latest();
  if (latest === undefined) return false;
  try {
    return equalBytes(log.readMagic(latest), ATTIC_SEGMENT_MAGIC);
  } catch (error) {
    // A repository whose last segment can't be read has to be opened, to be checked.
    if (isReadError(error)) return false;
    // It is there, though not where the config says.
    if (error instanceof IntegrityError) log.files.assertPlaced();
    throw error;
  }
}
