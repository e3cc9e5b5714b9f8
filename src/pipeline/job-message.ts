/** Jobs on their way to a worker, as tuples of primitives: several times cheaper to send than objects with bytes. */
import { fromBinaryString, toBinaryString } from '../util/bytes.ts';
import type { FileJob } from './file-job.ts';
import type { FileSection } from './file-section.ts';

export type JobTuple = readonly [
  path: string,
  bits: number,
  fd: number,
  directoryFd: number,
  name: string,
  mode: number,
  ino: bigint | undefined,
  openedSizeBytes: number,
  section: FileSection | undefined,
];

export interface JobsMessage {
  readonly firstJob: number;
  readonly jobs: readonly JobTuple[];
}

/** One bit each. */
const [CLOSE_FD, FOLLOW_SYMLINKS, SPARSE, SEAL_ALL] = [1, 2, 4, 8];
const [XATTRS, ACLS, NUMERIC_IDS, FLAGS, NO_CONTENTS] = [16, 32, 64, 128, 256];

export function encodeJob(job: FileJob): JobTuple {
  const bits =
    (job.closeFd ? CLOSE_FD : 0) |
    (job.followSymlinks ? FOLLOW_SYMLINKS : 0) |
    (job.sparse ? SPARSE : 0) |
    (job.sealAll ? SEAL_ALL : 0) |
    (job.xattrs ? XATTRS : 0) |
    (job.acls ? ACLS : 0) |
    (job.numericIds ? NUMERIC_IDS : 0) |
    (job.flags ? FLAGS : 0) |
    (job.contents === false ? NO_CONTENTS : 0);
  return [
    toBinaryString(job.path),
    bits,
    job.fd ?? -1,
    job.at?.directoryFd ?? -1,
    job.at === undefined ? '' : toBinaryString(job.at.name),
    job.expected?.mode ?? job.opened?.mode ?? 0,
    job.expected?.ino,
    job.opened?.sizeBytes ?? -1,
    job.section,
  ];
}

export function decodeJob(tuple: JobTuple): FileJob {
  const [path, bits, fd, directoryFd, name, mode, ino, openedSizeBytes, section] = tuple;
  return {
    path: fromBinaryString(path),
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
    at: directoryFd < 0 && name === '' ? undefined : { directoryFd, name: fromBinaryString(name) },
    expected: ino === undefined ? undefined : { mode, ino },
    opened: openedSizeBytes < 0 ? undefined : { mode, sizeBytes: openedSizeBytes },
    section,
  };
}
