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
  section: FileSection | undefined,
];

export interface JobsMessage {
  readonly firstJob: number;
  readonly jobs: readonly JobTuple[];
}

const SWITCHES = [
  'closeFd',
  'followSymlinks',
  'sparse',
  'sealAll',
  'xattrs',
  'acls',
  'numericIds',
  'flags',
] as const;
const NO_CONTENTS = 1 << SWITCHES.length;

export function encodeJob(job: FileJob): JobTuple {
  let bits = job.contents === false ? NO_CONTENTS : 0;
  for (const [index, name] of SWITCHES.entries()) if (job[name]) bits |= 1 << index;
  return [
    toBinaryString(job.path),
    bits,
    job.fd ?? -1,
    job.at?.directoryFd ?? -1,
    job.at === undefined ? '' : toBinaryString(job.at.name),
    job.expected?.mode ?? 0,
    job.expected?.ino,
    job.section,
  ];
}

export function decodeJob(tuple: JobTuple): FileJob {
  const [path, bits, fd, directoryFd, name, mode, ino, section] = tuple;
  const switches: { [Name in (typeof SWITCHES)[number]]?: boolean } = {};
  for (const [index, key] of SWITCHES.entries()) switches[key] = (bits & (1 << index)) !== 0;
  return {
    ...switches,
    path: fromBinaryString(path),
    contents: (bits & NO_CONTENTS) === 0,
    fd: fd < 0 ? undefined : fd,
    at: directoryFd < 0 && name === '' ? undefined : { directoryFd, name: fromBinaryString(name) },
    expected: ino === undefined ? undefined : { mode, ino },
    section,
  };
}
