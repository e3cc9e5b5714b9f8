/**
 * Errors as they go over the wire. A client makes its own error out of those whose class it knows, by their arguments,
 * which it takes for texts; of others it shows the lines.
 *
 * Source: Borg 1.4.5 remote.py, RepositoryServer.serve() and RemoteRepository.call_many(), handle_error();
 * helpers/errors.py.
 */
import { BorgError, IntegrityError } from '../errors.ts';
import { MetadataError } from '../format/metadata-fields.ts';
import { MsgpackError } from '../msgpack/value.ts';
import { describeOsError, isOsError } from '../platform/os-error.ts';
import type { RpcException } from './rpc-message.ts';

/** Those of Borg's classes with whose message the stack is shown, by their names on the wire. */
const TRACED: ReadonlySet<string> = new Set([
  'CheckNeeded',
  'DecompressionError',
  'FileIntegrityError',
  'IntegrityError',
  'LockErrorT',
  'LockFailed',
  'NotLocked',
  'NotMyLock',
  'ObjectNotFound',
]);

/** Those that clients of Borg 1.0, who get the class alone, can tell the user about without a line of the log. */
const SELF_EXPLAINING: ReadonlySet<string> = new Set([
  'AlreadyExists',
  'DoesNotExist',
  'InsufficientFreeSpaceError',
  'InvalidRepository',
  'InvalidRepositoryConfig',
  'PathAlreadyExists',
  'PathNotAllowed',
  'StorageQuotaExceeded',
]);

/** Whether an error's message has to go into the log for a client that gets no more than the name of its class. */
export function needsLogLine({ className }: RpcException): boolean {
  return !SELF_EXPLAINING.has(className);
}

/** Python's subclasses of OSError, which a client shows. */
const OS_CLASSES: Readonly<Record<string, string>> = {
  EACCES: 'PermissionError',
  EEXIST: 'FileExistsError',
  EISDIR: 'IsADirectoryError',
  ENOENT: 'FileNotFoundError',
  ENOTDIR: 'NotADirectoryError',
  EPERM: 'PermissionError',
};

export function describeException(error: unknown, sysinfo: string): RpcException {
  const full = stackOf(error);
  if (error instanceof BorgError) {
    const { wireName, message } = error;
    const args = error.args.map(String);
    return { className: wireName, args, full, short: [message], trace: TRACED.has(wireName), sysinfo };
  }
  if (isOsError(error)) {
    const className = OS_CLASSES[error.code ?? ''] ?? 'OSError';
    const message = describeOsError(error);
    return { className, args: [message], full, short: [`${className}: ${message}`], trace: true, sysinfo };
  }
  if (error instanceof MsgpackError || error instanceof MetadataError) {
    return describeException(new IntegrityError([error.message], error), sysinfo);
  }
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : 'Error';
  // What the repository refuses in words of its own: "Error" shows them to the user as they are.
  const trace = name !== 'Error';
  return { className: name, args: [message], full, short: [`${name}: ${message}`], trace, sysinfo };
}

function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  return (error.stack ?? `${error.name}: ${error.message}`).split('\n');
}
