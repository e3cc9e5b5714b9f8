/**
 * Makes the n-th call of `node:fs` fail, in this process: for the repository's store as well as for keys, cache and
 * security folder, and without a word of it in the program.
 */
import { ok } from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * | kind       | what happens                                              | to the n-th call that |
 * |------------|-----------------------------------------------------------|-----------------------|
 * | ENOSPC     | it fails                                                  | changes something     |
 * | EIO        | it fails                                                  | changes something     |
 * | part       | it writes half of the bytes, then fails with ENOSPC       | writes bytes          |
 * | short      | it writes half of the bytes, and says so: no error        | writes bytes          |
 * | unreadable | it fails with EIO                                         | opens, reads or lists |
 * | short read | it gives half of the bytes, and says so: no error         | reads bytes           |
 */
export type FaultKind = keyof typeof GROUPS;

type Group = 'changes' | 'writes' | 'looks' | 'reads';

/** Which calls count. */
const GROUPS = {
  ENOSPC: 'changes',
  EIO: 'changes',
  short: 'writes',
  part: 'writes',
  unreadable: 'looks',
  'short read': 'reads',
} as const satisfies Record<string, Group>;

export const FAULT_KINDS = Object.keys(GROUPS) as FaultKind[];

export interface FsFault {
  /** Number of the call, among those that the kind is about, from 0. */
  readonly at: number;
  readonly kind: FaultKind;
}

export interface FsRecord {
  /** Every call, and its path, by what it does. */
  readonly calls: Readonly<Record<Group, string[]>>;
  /** The call that failed. */
  failed: string | undefined;
}

/** The calls that a fault of the kind can hit. */
export function callsOf({ calls }: FsRecord, kind: FaultKind): readonly string[] {
  return calls[GROUPS[kind]];
}

type Call = (...args: never[]) => unknown;

const BY_PATH = [
  'mkdirSync',
  'rmdirSync',
  'unlinkSync',
  'rmSync',
  'renameSync',
  'linkSync',
  'truncateSync',
] as const;
const WHOLE_FILES = ['appendFileSync', 'writeFileSync'] as const;
const BY_DESCRIPTOR = ['fsyncSync', 'fdatasyncSync', 'ftruncateSync'] as const;
const WRITES = ['writeSync', 'writevSync'] as const;
const LOOKS = ['readdirSync', 'statSync'] as const;
const ERRNO = { ENOSPC: 28, EIO: 5 } as const;
const WRITING = fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT;

/** Runs the work with the fault, if there is one, in what it does below the folder `root`. */
export async function withFault(
  root: string,
  fault: FsFault | undefined,
  work: () => Promise<void>,
): Promise<FsRecord> {
  const calls = { changes: [], writes: [], looks: [], reads: [] } as Record<Group, string[]>;
  const record: FsRecord = { calls, failed: undefined };
  const paths = new Map<number, string>();
  const original: Record<string, unknown> = {};
  const functions = fs as unknown as Record<string, Call>;
  let depth = 0;

  const replace = (
    name: string,
    pathOf: (args: never[]) => string | undefined,
    groupsOf: (args: never[]) => readonly Group[],
  ): void => {
    const real = functions[name]!;
    ok(real);
    original[name] = real;
    functions[name] = (...args: never[]) => {
      const path = depth > 0 ? undefined : pathOf(args);
      depth += 1;
      try {
        const isOurs = path !== undefined && path.startsWith(root);
        const result = isOurs
          ? attempt(real, name, path.slice(root.length + 1), args, groupsOf(args))
          : real(...args);
        if (name === 'openSync' && depth === 1) paths.set(result as number, String(args[0]));
        return result;
      } finally {
        depth -= 1;
      }
    };
  };

  const attempt = (
    real: Call,
    name: string,
    path: string,
    args: never[],
    groups: readonly Group[],
  ): unknown => {
    const call = `${name} ${path}`;
    for (const group of groups) calls[group].push(call);
    const group = fault && GROUPS[fault.kind];
    const isHit = group !== undefined && groups.includes(group) && calls[group].length - 1 === fault!.at;
    if (!isHit) return real(...args);
    record.failed = call;
    const { kind } = fault!;
    if (kind === 'short read') return readPart(original['readSync'] as typeof fs.readSync, args);
    if (kind === 'short' || kind === 'part') {
      const count = writePart(original['writeSync'] as typeof fs.writeSync, name, args);
      if (kind === 'short') return count;
    }
    const code = kind === 'EIO' || kind === 'unreadable' ? 'EIO' : 'ENOSPC';
    const syscall = name.replace(/Sync$/, '');
    const text = `${code}: injected, ${syscall} '${path}'`;
    throw Object.assign(new Error(text), { code, errno: -ERRNO[code], syscall, path });
  };

  const ofDescriptor = (args: never[]): string | undefined => paths.get(args[0]!);
  for (const name of BY_PATH) replace(name, first, () => ['changes']);
  for (const name of WHOLE_FILES) replace(name, first, () => ['changes']);
  for (const name of BY_DESCRIPTOR) replace(name, ofDescriptor, () => ['changes']);
  for (const name of WRITES) replace(name, ofDescriptor, () => ['changes', 'writes']);
  for (const name of LOOKS) replace(name, first, () => ['looks']);
  replace('readSync', ofDescriptor, () => ['looks', 'reads']);
  replace('openSync', first, (args) => (isWriting(args[1]) ? ['changes'] : ['looks']));
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    Object.assign(fs, original);
    syncBuiltinESMExports();
  }
  return record;
}

function first(args: never[]): string {
  return String(args[0]);
}

function isWriting(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & WRITING) !== 0;
  return typeof flags === 'string' && flags !== 'r';
}

/** Reads the first half of what the call was to read; a byte at least, since none means the end. */
function readPart(read: typeof fs.readSync, args: unknown[]): number {
  const [fd, into, offset, length, position] = args as [number, Uint8Array, number, number, number | null];
  return read(fd, into, offset, Math.max(1, length >> 1), position);
}

/** Writes the first half of what the call was to write. */
function writePart(write: typeof fs.writeSync, name: string, args: unknown[]): number {
  const [fd, data, offset = 0, length, position = null] = args as [
    number,
    Uint8Array | Uint8Array[],
    number | undefined,
    number | undefined,
    number | null | undefined,
  ];
  const bytes =
    name === 'writevSync'
      ? Buffer.concat(data as Uint8Array[])
      : (data as Uint8Array).subarray(offset, length === undefined ? undefined : offset + length);
  const half = Math.floor(bytes.length / 2);
  return half === 0 ? 0 : write(fd, bytes, 0, half, name === 'writevSync' ? null : position);
}
