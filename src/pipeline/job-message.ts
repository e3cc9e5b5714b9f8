/**
 * Jobs on their way to a worker, a batch at a time, packed: several times cheaper to send, and to take apart, than objects
 * with bytes. The paths lie one behind the other in `bytes`; the rest is rows of numbers:
 *
 * | column | meaning |
 * |---|---|
 * | 0 | bits, below |
 * | 1 | size of the path |
 * | 2 | descriptor, -1: none |
 * | 3, 4 | mode and size of what was opened, -1: not known |
 * | 5 | number of extra, -1: none |
 */
import type { FileJob } from './file-job.ts';

export interface JobsMessage {
  readonly firstJob: number;
  readonly rows: Float64Array;
  readonly bytes: Uint8Array;
  readonly extras: readonly Extra[];
}

/** What few jobs have. */
type Extra = Pick<FileJob, 'at' | 'expected' | 'section'>;

const ROW_NUMBERS = 6;
/** One bit each. */
const [CLOSE_FD, FOLLOW_SYMLINKS, SPARSE, SEAL_ALL] = [1, 2, 4, 8];
const [XATTRS, ACLS, NUMERIC_IDS, FLAGS, NO_CONTENTS] = [16, 32, 64, 128, 256];

export function encodeJobs(firstJob: number, jobs: readonly FileJob[]): JobsMessage {
  const rows = new Float64Array(jobs.length * ROW_NUMBERS);
  const bytes = new Uint8Array(jobs.reduce((size, { path }) => size + path.length, 0));
  const extras: Extra[] = [];
  let at = 0;
  let usedBytes = 0;
  for (const job of jobs) {
    const { path, fd = -1, opened } = job;
    bytes.set(path, usedBytes);
    usedBytes += path.length;
    rows[at] = bitsOf(job);
    rows[at + 1] = path.length;
    rows[at + 2] = fd;
    rows[at + 3] = opened?.mode ?? -1;
    rows[at + 4] = opened?.sizeBytes ?? -1;
    rows[at + 5] = hasExtra(job) ? extras.push(extraOf(job)) - 1 : -1;
    at += ROW_NUMBERS;
  }
  return { firstJob, rows, bytes, extras };
}

/** The jobs, in order; their paths share memory. */
export function* decodeJobs({ rows, bytes, extras }: JobsMessage): Generator<FileJob> {
  let usedBytes = 0;
  for (let at = 0; at < rows.length; at += ROW_NUMBERS) {
    const path = bytes.subarray(usedBytes, (usedBytes += rows[at + 1]!));
    yield decodeJob(path, rows, at, extras[rows[at + 5]!]);
  }
}

function decodeJob(path: Uint8Array, rows: Float64Array, at: number, extra: Extra | undefined): FileJob {
  const bits = rows[at]!;
  const fd = rows[at + 2]!;
  const mode = rows[at + 3]!;
  const sizeBytes = rows[at + 4]!;
  return {
    path,
    closeFd: (bits & CLOSE_FD) !== 0,
    followSymlinks: (bits & FOLLOW_SYMLINKS) !== 0,
    sparse: (bits & SPARSE) !== 0,
    sealAll: (bits & SEAL_ALL) !== 0,
    xattrs: (bits & XATTRS) !== 0,
    acls: (bits & ACLS) !== 0,
    numericIds: (bits & NUMERIC_IDS) !== 0,
    flags: (bits & FLAGS) !== 0,
    contents: (bits & NO_CONTENTS) === 0,
    fd: fd < 0 ? undefined : fd,
    at: extra?.at,
    expected: extra?.expected,
    opened: sizeBytes < 0 ? undefined : { mode, sizeBytes },
    section: extra?.section,
  };
}

function bitsOf(job: FileJob): number {
  return (
    (job.closeFd ? CLOSE_FD : 0) |
    (job.followSymlinks ? FOLLOW_SYMLINKS : 0) |
    (job.sparse ? SPARSE : 0) |
    (job.sealAll ? SEAL_ALL : 0) |
    (job.xattrs ? XATTRS : 0) |
    (job.acls ? ACLS : 0) |
    (job.numericIds ? NUMERIC_IDS : 0) |
    (job.flags ? FLAGS : 0) |
    (job.contents === false ? NO_CONTENTS : 0)
  );
}

function hasExtra({ at, expected, section }: FileJob): boolean {
  return at !== undefined || expected !== undefined || section !== undefined;
}

function extraOf({ at, expected, section }: FileJob): Extra {
  return {
    // Of memory that it shares, all would travel along.
    at: at && { directoryFd: at.directoryFd, name: new Uint8Array(at.name) },
    expected: expected && { mode: expected.mode, ino: expected.ino },
    section,
  };
}
