/**
 * What goes wrong with one item being extracted: it becomes a warning and the extraction goes on.
 *
 * Source: Borg 1.4.5, helpers/errors.py, BackupError and its subclasses; archiver.py, do_extract.
 */
import {
  BackupHardlinkSourceWarning,
  BackupPathTraversalWarning,
  BackupSymlinkParentWarning,
  BackupWarning,
  type BorgWarning,
} from '../../errors.ts';
import { UnsafePathError } from '../../platform/directory-root.ts';
import { isOsError } from '../../platform/os-error.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import { BackupError, BackupOsError } from '../backup-error.ts';

/** The item was extracted, but is not what was backed up, or it cannot be made at all. */
export class ItemError extends BackupError {
  toWarning(path: Uint8Array): BorgWarning {
    return new BackupWarning([toDisplayText(path), this.message]);
  }
}

/** The item would reach out of the destination: no backup makes such items, so the archive is damaged or forged. */
export class UnsafeItemError extends BackupError {
  readonly #reason: UnsafePathError['reason'] | 'hardlink-source';

  constructor(reason: UnsafePathError['reason'] | 'hardlink-source') {
    super(reason);
    this.#reason = reason;
  }

  toWarning(path: Uint8Array): BorgWarning {
    const args = [toDisplayText(path)];
    switch (this.#reason) {
      case 'traversal':
        return new BackupPathTraversalWarning(args);
      case 'symlink-parent':
        return new BackupSymlinkParentWarning(args);
      default:
        return new BackupHardlinkSourceWarning(args);
    }
  }
}

/** Runs `call`; what the operating system or the path's safety object to becomes a BackupError. */
export function extractIo<T>(operation: string, call: () => T, shown?: Uint8Array): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof UnsafePathError) throw new UnsafeItemError(error.reason);
    throw isOsError(error) ? new BackupOsError(operation, error, shown) : error;
  }
}
