/**
 * Errors of a server as errors of this program: those that Borg's client knows by their class are the same as if the
 * repository were here, with the location that the user gave in place of the server's path. Others become a ServerError.
 * Texts come from the server: they are cut, and made harmless to terminals.
 *
 * Source: Borg 1.4.5 remote.py, RemoteRepository.RPCError and call_many(), handle_error().
 */
import {
  AtticRepository,
  BorgError,
  CheckNeeded,
  GeneralError,
  InsufficientFreeSpaceError,
  IntegrityError,
  InvalidRepository,
  InvalidRepositoryConfig,
  InvalidRPCMethod,
  LockFailed,
  LockTimeout,
  NotLocked,
  NotMyLock,
  ObjectNotFound,
  ParentPathDoesNotExist,
  PathAlreadyExists,
  PathNotAllowed,
  PathPermissionDenied,
  RepositoryAlreadyExists,
  RepositoryDoesNotExist,
  StorageQuotaExceeded,
} from '../errors.ts';
import type { RpcException } from './rpc-message.ts';
import { harmless } from './server-log.ts';

/** An error that only the server knows. Its class is the msgid, as in Borg; the server's stack is in the cause. */
export class ServerError extends BorgError {
  override readonly name = 'ServerError';
  readonly msgid: string;
  readonly exitCode = 2;
  readonly hint = 'This went wrong on the server. --debug shows what it says of it.';

  constructor(className: string, message: string, cause: unknown) {
    super('{}', [message], cause);
    this.msgid = className;
  }
}

/** What a server knows of an error: its stack, and about its system. */
class RemoteStack extends Error {
  override readonly name = 'RemoteStack';

  constructor(exception: RpcException) {
    super(cut(exception.className));
    const system = exception.sysinfo.split('\n').filter((line) => line !== '');
    const lines = [...exception.full, ...system.map((line) => `Borg server: ${line}`)];
    this.stack = cut(lines.join('\n'), MAX_STACK_CHARS);
  }
}

interface ErrorClass {
  new (args: readonly unknown[], cause?: unknown): BorgError;
}

/** What the arguments of the class here are: an argument of the class there, by number, or the location. */
type ArgumentSource = number | 'location';

const KNOWN: Readonly<Record<string, readonly [type: ErrorClass, ...args: ArgumentSource[]]>> = {
  Error: [GeneralError, 0],
  ErrorWithTraceback: [GeneralError, 0],
  InvalidRepository: [InvalidRepository, 'location'],
  DoesNotExist: [RepositoryDoesNotExist, 'location'],
  AlreadyExists: [RepositoryAlreadyExists, 'location'],
  CheckNeeded: [CheckNeeded, 'location'],
  IntegrityError: [IntegrityError, 0],
  AtticRepository: [AtticRepository, 0],
  PathNotAllowed: [PathNotAllowed, 0],
  PathPermissionDenied: [PathPermissionDenied, 0],
  PathAlreadyExists: [PathAlreadyExists, 0],
  ParentPathDoesNotExist: [ParentPathDoesNotExist, 0],
  ObjectNotFound: [ObjectNotFound, 0, 'location'],
  InvalidRPCMethod: [InvalidRPCMethod, 0],
  LockTimeout: [LockTimeout, 0],
  LockFailed: [LockFailed, 0, 1],
  NotLocked: [NotLocked, 0],
  NotMyLock: [NotMyLock, 0],
  InsufficientFreeSpaceError: [InsufficientFreeSpaceError, 0, 1],
  InvalidRepositoryConfig: [InvalidRepositoryConfig, 'location', 1],
  StorageQuotaExceeded: [StorageQuotaExceeded, 0, 1],
};

const MAX_TEXT_CHARS = 2000;
const MAX_STACK_CHARS = 32 * 1024;
const NOT_AVAILABLE = '(not available)';

/** `location` as the user gave it. */
export function errorOf(exception: RpcException, location: string): BorgError {
  const { className, args, short } = exception;
  const cause = new RemoteStack(exception);
  if (Object.hasOwn(KNOWN, className)) {
    const [type, ...sources] = KNOWN[className]!;
    const given = sources.map((source) =>
      source === 'location' ? location : cut(String(args?.[source] ?? NOT_AVAILABLE)),
    );
    return new type(given, cause);
  }
  const name = cut(className);
  const message = short.length > 0 ? cut(short.join('\n').trimEnd()) : name;
  return new ServerError(name, `The server says: ${message}`, cause);
}

function cut(text: string, maxChars = MAX_TEXT_CHARS): string {
  return harmless(text.length > maxChars ? `${text.slice(0, maxChars)} …` : text);
}
