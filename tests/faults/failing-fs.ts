/**
 * Makes the n-th call of `node:fs` fail that changes something, in this process: for the repository's store as well as
 * for keys, cache and security folder, and without a word of it in the program.
 */
import { ok } from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** `short`: a write takes only a part of the bytes, which is no error. `part`: and the rest has no room. */
export type FaultKind = 'ENOSPC' | 'EIO' | 'short' | 'part';

export interface FsFault {
  /** Number of the changing call, from 0; of the writes alone for `short` and `part`. */
  readonly at: number;
  readonly kind: FaultKind;
}

export interface FsRecord {
  /** Every changing call, and its path. */
  readonly calls: string[];
  /** The calls among them that write bytes. */
  readonly writes: string[];
  /** The call that failed. */
  failed: string | undefined;
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
const ERRNO = { ENOSPC: 28, EIO: 5 } as const;
const WRITING = fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT;

/** Runs the work with the fault, if there is one, in what it does below the folder `root`. */
export async function withFault(
  root: string,
  fault: FsFault | undefined,
  work: () => Promise<void>,
): Promise<FsRecord> {
  const record: FsRecord = { calls: [], writes: [], failed: undefined };
  const paths = new Map<number, string>();
  const original: Record<string, unknown> = {};
  const functions = fs as unknown as Record<string, Call>;
  let depth = 0;

  const replace = (name: string, pathOf: (args: never[]) => string | undefined, isWrite = false): void => {
    const real = functions[name]!;
    ok(real);
    original[name] = real;
    functions[name] = (...args: never[]) => {
      const path = depth > 0 ? undefined : pathOf(args);
      depth += 1;
      try {
        const result =
          path === undefined || !path.startsWith(root)
            ? real(...args)
            : attempt(real, name, path.slice(root.length + 1), args, isWrite);
        if (name === 'openSync' && depth === 1) paths.set(result as number, String(args[0]));
        return result;
      } finally {
        depth -= 1;
      }
    };
  };

  const attempt = (real: Call, name: string, path: string, args: never[], isWrite: boolean): unknown => {
    const call = `${name} ${path}`;
    const number = record.calls.push(call) - 1;
    const written = isWrite ? record.writes.push(call) - 1 : -1;
    if (fault === undefined) return real(...args);
    const isPartial = fault.kind === 'short' || fault.kind === 'part';
    if (fault.at !== (isPartial ? written : number)) return real(...args);
    record.failed = call;
    if (isPartial) {
      const count = writePart(original['writeSync'] as typeof fs.writeSync, name, args);
      if (fault.kind === 'short') return count;
    }
    const code = fault.kind === 'EIO' ? 'EIO' : 'ENOSPC';
    const syscall = name.replace(/Sync$/, '');
    const text = `${code}: injected, ${syscall} '${path}'`;
    throw Object.assign(new Error(text), { code, errno: -ERRNO[code], syscall, path });
  };

  const ofDescriptor = (args: never[]): string | undefined => paths.get(args[0]!);
  for (const name of BY_PATH) replace(name, first);
  for (const name of WHOLE_FILES) replace(name, first);
  for (const name of BY_DESCRIPTOR) replace(name, ofDescriptor);
  for (const name of WRITES) replace(name, ofDescriptor, true);
  // Only what is opened to be written is a change; the descriptor of every file is remembered.
  const realOpen = fs.openSync;
  replace('openSync', (args) => (isWriting(args[1]) ? first(args) : undefined));
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    Object.assign(fs, original, { openSync: realOpen });
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
