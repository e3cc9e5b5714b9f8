/**
 * Every condition that a caller, a script or a client on the wire tells apart has a class here, with Borg's own
 * class name (`msgid` in JSON logs, the exception class on the wire), its arguments and its modern exit code.
 *
 * Source: Borg 1.4.5, docs/internals/frontends.rst (message IDs) and the classes that it lists.
 */

/** What distinguishes one error or warning class from another. */
interface Condition {
  /** Borg's qualified class name, e.g. `Repository.DoesNotExist`. */
  readonly msgid: string;
  /** Exit code with BORG_EXIT_CODES=modern. */
  readonly exitCode: number;
  /** Borg's message text; each `{}` takes the next argument. */
  readonly template: string;
  /** What to do next, printed below the message. */
  readonly hint?: string | undefined;
}

/** An error that ends the command, with an exit code of its own. */
export abstract class BorgError extends Error {
  abstract readonly msgid: string;
  abstract readonly exitCode: number;
  abstract readonly hint: string | undefined;
  readonly args: readonly unknown[];

  constructor(template: string, args: readonly unknown[], cause?: unknown) {
    super(fillTemplate(template, args), cause === undefined ? undefined : { cause });
    this.args = args;
  }

  /** The class name as it goes over the wire: the last part of the message id. */
  get wireName(): string {
    return this.msgid.slice(this.msgid.lastIndexOf('.') + 1);
  }
}

/** Something that went wrong with one file or pattern; the command goes on and exits with a warning. */
export abstract class BorgWarning {
  abstract readonly msgid: string;
  abstract readonly exitCode: number;
  readonly message: string;
  readonly args: readonly unknown[];

  constructor(template: string, args: readonly unknown[]) {
    this.message = fillTemplate(template, args);
    this.args = args;
  }
}

/** Replaces each `{}` in the template by the next argument. */
export function fillTemplate(template: string, args: readonly unknown[]): string {
  let next = 0;
  return template.replaceAll('{}', () => String(args[next++]));
}

function errorClass(condition: Condition) {
  return class extends BorgError {
    static readonly condition = condition;
    override readonly name = condition.msgid;
    readonly msgid: string = condition.msgid;
    readonly exitCode: number = condition.exitCode;
    readonly hint: string | undefined = condition.hint;

    /** `args` fill the template in order; `cause` is what made it happen. */
    constructor(args: readonly unknown[] = [], cause?: unknown) {
      super(condition.template, args, cause);
    }
  };
}

function warningClass(condition: Condition) {
  return class extends BorgWarning {
    static readonly condition = condition;
    readonly msgid: string = condition.msgid;
    readonly exitCode: number = condition.exitCode;

    constructor(args: readonly unknown[] = []) {
      super(condition.template, args);
    }
  };
}

function define(msgid: string, exitCode: number, template: string, hint?: string) {
  return errorClass({ msgid, exitCode, template, hint });
}

function defineWarning(msgid: string, exitCode: number, template: string) {
  return warningClass({ msgid, exitCode, template });
}

// --- general -----------------------------------------------------------------------------------------------
export class GeneralError extends define('Error', 2, 'Error: {}') {}
export class MemoryLimitExceeded extends define(
  'Buffer.MemoryLimitExceeded',
  2,
  'Requested buffer size {} is above the limit of {}.',
) {}
export class RTError extends define('RTError', 2, 'Runtime Error: {}') {}
export class CancelledByUser extends define('CancelledByUser', 3, 'Cancelled by user.') {}
export class CommandError extends define('CommandError', 4, 'Command Error: {}') {}
export class PlaceholderError extends define(
  'PlaceholderError',
  5,
  'Formatting Error: "{}".format({}): {}({})',
) {}
export class InvalidPlaceholder extends define(
  'InvalidPlaceholder',
  6,
  'Invalid placeholder "{}" in string: {}',
) {}

// --- repository --------------------------------------------------------------------------------------------
export class RepositoryAlreadyExists extends define(
  'Repository.AlreadyExists',
  10,
  'A repository already exists at {}.',
) {}
export class AtticRepository extends define(
  'Repository.AtticRepository',
  11,
  'Attic repository detected. Please run "borg upgrade {}".',
) {}
export class CheckNeeded extends define(
  'Repository.CheckNeeded',
  12,
  'Inconsistency detected. Please run "borg check {}".',
) {}
export class RepositoryDoesNotExist extends define(
  'Repository.DoesNotExist',
  13,
  'Repository {} does not exist.',
  'Check the path, or create the repository with "init" or "backup".',
) {}
export class InsufficientFreeSpaceError extends define(
  'Repository.InsufficientFreeSpaceError',
  14,
  'Insufficient free space to complete transaction (required: {}, available: {}).',
) {}
export class InvalidRepository extends define(
  'Repository.InvalidRepository',
  15,
  '{} is not a valid repository. Check repo config.',
) {}
export class InvalidRepositoryConfig extends define(
  'Repository.InvalidRepositoryConfig',
  16,
  '{} does not have a valid configuration. Check repo config [{}].',
) {}
export class ObjectNotFound extends define(
  'Repository.ObjectNotFound',
  17,
  'Object with key {} not found in repository {}.',
) {}
export class ParentPathDoesNotExist extends define(
  'Repository.ParentPathDoesNotExist',
  18,
  'The parent path of the repo directory [{}] does not exist.',
  'Create it first, or use --make-parent-dirs.',
) {}
export class PathAlreadyExists extends define(
  'Repository.PathAlreadyExists',
  19,
  'There is already something at {}.',
) {}
export class StorageQuotaExceeded extends define(
  'Repository.StorageQuotaExceeded',
  20,
  'The storage quota ({}) has been exceeded ({}). Try deleting some archives.',
) {}
export class PathPermissionDenied extends define(
  'Repository.PathPermissionDenied',
  21,
  'Permission denied to {}.',
) {}

// --- manifest ----------------------------------------------------------------------------------------------
export class MandatoryFeatureUnsupported extends define(
  'MandatoryFeatureUnsupported',
  25,
  'Unsupported repository feature(s) {}. A newer version of Borg is required to access this repository.',
) {}
export class NoManifestError extends define(
  'NoManifestError',
  26,
  'Repository has no manifest.',
  'If nothing was ever backed up (an "init" that was interrupted), remove it with "delete" and make it again; otherwise "check --repair" looks for the archives.',
) {}
export class UnsupportedManifestError extends define(
  'UnsupportedManifestError',
  27,
  'Unsupported manifest envelope. A newer version is required to access this repository.',
) {}

// --- archives ----------------------------------------------------------------------------------------------
export class ArchiveAlreadyExists extends define('Archive.AlreadyExists', 30, 'Archive {} already exists') {}
export class ArchiveDoesNotExist extends define('Archive.DoesNotExist', 31, 'Archive {} does not exist') {}
export class IncompatibleFilesystemEncodingError extends define(
  'Archive.IncompatibleFilesystemEncodingError',
  32,
  'Failed to encode filename "{}" into file system encoding "{}". Consider configuring the LANG environment variable.',
) {}

// --- keys --------------------------------------------------------------------------------------------------
export class KeyfileInvalidError extends define(
  'KeyfileInvalidError',
  40,
  'Invalid key data for repository {} found in {}.',
) {}
export class KeyfileMismatchError extends define(
  'KeyfileMismatchError',
  41,
  'Mismatch between repository {} and key file {}.',
) {}
export class KeyfileNotFoundError extends define(
  'KeyfileNotFoundError',
  42,
  'No key file for repository {} found in {}.',
  'If you have a key backup, bring it back with "key import".',
) {}
export class NotABorgKeyFile extends define(
  'NotABorgKeyFile',
  43,
  'This file is not a Borg key backup, aborting.',
) {}
export class RepoKeyNotFoundError extends define(
  'RepoKeyNotFoundError',
  44,
  'No key entry found in the config of repository {}.',
  'If you have a key backup, bring it back with "key import".',
) {}
export class RepoIdMismatch extends define(
  'RepoIdMismatch',
  45,
  'This key backup seems to be for a different backup repository, aborting.',
) {}
export class UnencryptedRepo extends define(
  'UnencryptedRepo',
  46,
  'Key management not available for unencrypted repositories.',
) {}
export class UnknownKeyType extends define('UnknownKeyType', 47, 'Key type {} is unknown.') {}
export class UnsupportedPayloadError extends define(
  'UnsupportedPayloadError',
  48,
  'Unsupported payload type {}. A newer version is required to access this repository.',
) {}

// --- passphrases -------------------------------------------------------------------------------------------
export class NoPassphraseFailure extends define(
  'NoPassphraseFailure',
  50,
  'Cannot acquire a passphrase: {}',
  'Set BORG_PASSPHRASE, BORG_PASSCOMMAND or BORG_PASSPHRASE_FD, or run in a terminal.',
) {}
export class PasscommandFailure extends define(
  'PasscommandFailure',
  51,
  'Passcommand supplied in BORG_PASSCOMMAND failed: {}',
) {}
export class PassphraseWrong extends define(
  'PassphraseWrong',
  52,
  'Passphrase supplied in BORG_PASSPHRASE, by BORG_PASSCOMMAND, or via BORG_PASSPHRASE_FD is incorrect.',
) {}
export class PasswordRetriesExceeded extends define(
  'PasswordRetriesExceeded',
  53,
  'Exceeded the maximum password retries.',
) {}

// --- caches and the security directory ---------------------------------------------------------------------
export class CacheInitAbortedError extends define(
  'Cache.CacheInitAbortedError',
  60,
  'Cache initialization aborted',
) {}
export class EncryptionMethodMismatch extends define(
  'Cache.EncryptionMethodMismatch',
  61,
  'Repository encryption method changed since last access, refusing to continue',
) {}
export class RepositoryAccessAborted extends define(
  'Cache.RepositoryAccessAborted',
  62,
  'Repository access aborted',
) {}
export class RepositoryIDNotUnique extends define(
  'Cache.RepositoryIDNotUnique',
  63,
  'Cache is newer than repository - do you have multiple, independently updated repos with same ID?',
) {}
export class RepositoryReplay extends define(
  'Cache.RepositoryReplay',
  64,
  'Cache, or information obtained from the security directory is newer than repository - this is either an attack or unsafe (multiple repos with same ID)',
  'If you restored the repository from a snapshot yourself, see "Snapshots" in docs/SECURITY.md before you go on.',
) {}

// --- locks -------------------------------------------------------------------------------------------------
export class LockError extends define('LockError', 70, 'Failed to acquire the lock {}.') {}
export class LockErrorT extends define('LockErrorT', 71, 'Failed to acquire the lock {}.') {}
export class LockFailed extends define(
  'LockFailed',
  72,
  'Failed to create/acquire the lock {} ({}).',
  'Where nothing can be written, --bypass-lock reads without a lock.',
) {}
export class LockTimeout extends define(
  'LockTimeout',
  73,
  'Failed to create/acquire the lock {} (timeout).',
  'Another process is using it. Wait with --lock-wait, or, if you are sure that none is, run "break-lock".',
) {}
export class NotLocked extends define('NotLocked', 74, 'Failed to release the lock {} (was not locked).') {}
export class NotMyLock extends define(
  'NotMyLock',
  75,
  'Failed to release the lock {} (was/is locked, but not by me).',
) {}

// --- the wire ----------------------------------------------------------------------------------------------
export class ConnectionClosed extends define('ConnectionClosed', 80, 'Connection closed by remote host.') {}
export class ConnectionClosedWithHint extends define(
  'ConnectionClosedWithHint',
  81,
  'Connection closed by remote host. {}',
) {}
export class InvalidRPCMethod extends define('InvalidRPCMethod', 82, 'RPC method {} is not valid.') {}
export class PathNotAllowed extends define('PathNotAllowed', 83, 'Repository path not allowed: {}') {}
export class RPCServerOutdated extends define(
  'RemoteRepository.RPCServerOutdated',
  84,
  'Borg server is too old for {}. Required version {}',
) {}
export class UnexpectedRPCDataFormatFromClient extends define(
  'UnexpectedRPCDataFormatFromClient',
  85,
  'Borg {}: Got unexpected RPC data format from client.',
) {}
export class UnexpectedRPCDataFormatFromServer extends define(
  'UnexpectedRPCDataFormatFromServer',
  86,
  'Got unexpected RPC data format from server:\n{}',
) {}
export class ConnectionBrokenWithHint extends define(
  'ConnectionBrokenWithHint',
  87,
  'Connection to remote host is broken. {}',
) {}

// --- integrity ---------------------------------------------------------------------------------------------
export class IntegrityError extends define('IntegrityError', 90, 'Data integrity error: {}') {}
export class FileIntegrityError extends define('FileIntegrityError', 91, 'File failed integrity check: {}') {}
export class DecompressionError extends define('DecompressionError', 92, 'Decompression error: {}') {}
export class ArchiveTAMInvalid extends define('ArchiveTAMInvalid', 95, 'Data integrity error: {}') {
  constructor(cause?: unknown) {
    super(['Archive authentication did not verify'], cause);
  }
}
export class ArchiveTAMRequiredError extends define(
  'ArchiveTAMRequiredError',
  96,
  "Archive '{}' is unauthenticated, but it is required for this repository.",
) {}
export class TAMInvalid extends define('TAMInvalid', 97, 'Data integrity error: {}') {
  constructor(cause?: unknown) {
    super(['Manifest authentication did not verify'], cause);
  }
}
export class TAMRequiredError extends define(
  'TAMRequiredError',
  98,
  'Manifest is unauthenticated, but it is required for this repository.',
) {}
export class TAMUnsupportedSuiteError extends define(
  'TAMUnsupportedSuiteError',
  99,
  'Could not verify manifest: Unsupported suite {}; a newer version is needed.',
) {}

// --- warnings ----------------------------------------------------------------------------------------------
export class GeneralWarning extends defineWarning('BorgWarning', 1, '{}') {}
export class FileChangedWarning extends defineWarning(
  'FileChangedWarning',
  100,
  '{}: file changed while we backed it up',
) {}
export class IncludePatternNeverMatchedWarning extends defineWarning(
  'IncludePatternNeverMatchedWarning',
  101,
  "Include pattern '{}' never matched.",
) {}
export class BackupWarning extends defineWarning('BackupError', 102, '{}: {}') {}
export class BackupRaceConditionWarning extends defineWarning(
  'BackupRaceConditionError',
  103,
  '{}: file type or inode changed while we backed it up (race condition, skipped file)',
) {}
export class BackupOSWarning extends defineWarning('BackupOSError', 104, '{}: {}') {}
export class BackupPermissionWarning extends defineWarning('BackupPermissionError', 105, '{}: {}') {}
export class BackupIOWarning extends defineWarning('BackupIOError', 106, '{}: {}') {}
export class BackupFileNotFoundWarning extends defineWarning('BackupFileNotFoundError', 107, '{}: {}') {}
export class BackupSymlinkParentWarning extends defineWarning(
  'BackupSymlinkParentError',
  108,
  '{}: not extracted, a parent directory is a symlink (malicious or corrupted archive)',
) {}
export class BackupPathTraversalWarning extends defineWarning(
  'BackupPathTraversalError',
  109,
  '{}: not extracted, path contains "../" (malicious or corrupted archive)',
) {}
/** Ours; its code is beyond those that Borg gives out. */
export class FileContentsWarning extends defineWarning(
  'FileContentsWarning',
  120,
  '{}: contents differ from what was backed up before, but size and times do not (bit rot, or times that were set back?); earlier archives have the former contents',
) {}
export class BackupHardlinkSourceWarning extends defineWarning(
  'BackupHardlinkSourceError',
  110,
  '{}: not extracted, hardlink source path is unsafe (malicious or corrupted archive)',
) {}
