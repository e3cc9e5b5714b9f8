/**
 * What goes wrong with one file being backed up: it becomes a warning and the backup goes on. An error that is not
 * wrapped here (of the repository, of the cache) ends the backup.
 *
 * Source: Borg 1.4.5, archive.py, BackupIO and stat_update_check; helpers/errors.py, BackupError and its subclasses.
 */
import {
  BackupFileNotFoundWarning,
  BackupIOWarning,
  BackupOSWarning,
  BackupPermissionWarning,
  BackupRaceConditionWarning,
  type BorgWarning,
} from '../errors.ts';
import { describeOsError, isOsError, OsError, type Path } from '../platform/os-error.ts';
import type { FileError } from '../pipeline/file-job.ts';
import { toDisplayText } from '../util/surrogate-escape.ts';

export abstract class BackupError extends Error {
  /** The warning to give for the file. */
  abstract toWarning(path: Uint8Array): BorgWarning;
}

/** A BackupError as it can be sent to another thread. */
export type BackupErrorRecord =
  | { readonly race: 'file type' | 'file inode' }
  | {
      readonly operation: string;
      readonly errno: number;
      readonly syscall: string;
      readonly path: Path | undefined;
      readonly shown: Uint8Array | undefined;
    };

/** A system call failed. `operation` says what for: open, fstat, read, extended stat (xattrs) … */
export class BackupOsError extends BackupError {
  readonly code: string | undefined;
  readonly operation: string;
  readonly shown: Uint8Array | undefined;

  constructor(operation: string, cause: unknown, shown?: Uint8Array) {
    const text = describeOsError(cause, shown);
    super(operation === '' ? text : `${operation}: ${text}`, { cause });
    this.operation = operation;
    this.shown = shown;
    this.code = isOsError(cause) ? cause.code : undefined;
  }

  toWarning(path: Uint8Array): BorgWarning {
    const args = [toDisplayText(path), this.message];
    switch (this.code) {
      case 'EPERM':
      case 'EACCES':
      case 'EBUSY':
        return new BackupPermissionWarning(args);
      case 'ENOENT':
        return new BackupFileNotFoundWarning(args);
      case 'EIO':
        return new BackupIOWarning(args);
      default:
        return new BackupOSWarning(args);
    }
  }
}

/** The thing at the path is no longer the one that was found there: skipped rather than taken for another. */
export class BackupRaceCondition extends BackupError {
  readonly what: 'file type' | 'file inode';

  constructor(what: 'file type' | 'file inode') {
    super(`${what} changed (race condition), skipping file`);
    this.what = what;
  }

  toWarning(path: Uint8Array): BorgWarning {
    return new BackupRaceConditionWarning([toDisplayText(path), this.message]);
  }
}

/** The error of a file that was read elsewhere. */
export function fileError(error: FileError): BackupError {
  return error.kind === 'race'
    ? new BackupRaceCondition(error.what)
    : new BackupOsError(error.operation, error.cause);
}

/** Throws the error itself where it is of no kind that can be sent. */
export function encodeBackupError(error: BackupError): BackupErrorRecord {
  if (error instanceof BackupRaceCondition) return { race: error.what };
  if (!(error instanceof BackupOsError) || !isOsError(error.cause)) throw error;
  const { operation, shown, cause } = error;
  const { errno = 0, syscall = '', path } = cause;
  return { operation, errno: -errno, syscall, path, shown };
}

export function decodeBackupError(record: BackupErrorRecord): BackupError {
  if ('race' in record) return new BackupRaceCondition(record.race);
  const { operation, errno, syscall, path, shown } = record;
  return new BackupOsError(operation, new OsError(errno, syscall, path), shown);
}

/** Runs `call`, and makes a BackupOsError of an operating system's error; `shown` is the path that it names. */
export function backupIo<T>(operation: string, call: () => T, shown?: Uint8Array): T {
  try {
    return call();
  } catch (error) {
    throw asBackupError(operation, error, shown);
  }
}

/** A BackupOsError if it is the operating system's error, else the error as it is. */
export function asBackupError(operation: string, error: unknown, shown?: Uint8Array): unknown {
  return isOsError(error) ? new BackupOsError(operation, error, shown) : error;
}

interface Identity {
  readonly mode: number;
  readonly ino: bigint;
}

const TYPE_MASK = 0o170000;

/** Gives `current` back; throws BackupRaceCondition where it is another kind of thing, or another inode. */
export function checkSameFile<T extends Identity>(previous: Identity, current: T): T {
  if ((previous.mode & TYPE_MASK) !== (current.mode & TYPE_MASK)) throw new BackupRaceCondition('file type');
  if (previous.ino !== current.ino) throw new BackupRaceCondition('file inode');
  return current;
}
