/** Errors of the operating system, in Node's shape (code, errno, syscall, path), and their text as Borg shows it. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { decodeSurrogateEscaped } from '../util/surrogate-escape.ts';
import { cFunction, lastErrno } from './libc.ts';

export type Path = Uint8Array | string;

const strerror = cFunction<[number], string>('const char *strerror(int number)');

/** Thrown where a C call fails; what `node:fs` throws has the same fields. */
export class OsError extends Error {
  override readonly name = 'OsError';
  /** Symbolic name, e.g. ENOENT. */
  readonly code: string;
  /** Negative, as in Node's own errors. */
  readonly errno: number;
  readonly syscall: string;
  readonly path: Path | undefined;

  /** `errno` is the positive number of C. */
  constructor(errno: number, syscall: string, path?: Path) {
    const code = errnoName(errno);
    const shown = path === undefined ? '' : ` '${showPath(path)}'`;
    super(`${code}: ${strerror(errno)}, ${syscall}${shown}`);
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    this.path = path;
  }
}

/** An OsError from errno; call it right after the C call that failed. */
export function lastOsError(syscall: string, path?: Path): OsError {
  return new OsError(lastErrno(), syscall, path);
}

/** Number of a symbolic name, e.g. 2 for ENOENT; 0 where this system has no such error. */
export function errnoNumber(code: string): number {
  const numbers: Readonly<Record<string, number>> = constants.errno;
  return numbers[code] ?? 0;
}

/** Node makes a new map each time. */
let systemErrors: ReturnType<typeof getSystemErrorMap> | undefined;

function errnoName(errno: number): string {
  systemErrors ??= getSystemErrorMap();
  const known = systemErrors.get(-errno)?.[0];
  if (known !== undefined) return known;
  for (const [name, number] of Object.entries(constants.errno)) if (number === errno) return name;
  return `E${errno}`;
}

/** Whether the error is the operating system's, with one of these codes (any, if none is given). */
export function isOsError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return false;
  return codes.length === 0 || codes.includes(error.code as string);
}

/**
 * The text that Borg shows for an operating system's error: `[Errno 13] Permission denied: 'dir/file'`.
 * `path` replaces the error's own. Other errors give their message.
 */
export function describeOsError(error: unknown, path?: Path): string {
  if (!isOsError(error)) return error instanceof Error ? error.message : String(error);
  const errno = -(error.errno ?? 0);
  const at = path ?? error.path;
  const where = at === undefined ? '' : `: ${reprText(showPath(at))}`;
  return `[Errno ${errno}] ${strerror(errno)}${where}`;
}

function showPath(path: Path): string {
  return typeof path === 'string' ? path : decodeSurrogateEscaped(path);
}

/** As Python's repr() quotes a string. */
export function reprText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
  const body = text.replaceAll(/[\p{Cc}\p{Surrogate}\\]/gu, (char) => {
    const code = char.codePointAt(0)!;
    return (
      escapes[char] ?? (code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`)
    );
  });
  return quote + (quote === "'" ? body.replaceAll("'", "\\'") : body) + quote;
}
