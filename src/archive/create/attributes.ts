/**
 * Flags, extended attributes and ACLs of what is backed up.
 *
 * Source: Borg 1.4.5, archive.py, MetadataCollector.stat_ext_attrs.
 */
import { type Acls, getAcls } from '../../platform/acl.ts';
import { showsNoAcls } from '../../platform/acl-listing.ts';
import { flagsOf } from '../../platform/bsd-flags.ts';
import type { FileStat } from '../../platform/file-stat.ts';
import { readXattrs, type Xattrs } from '../../platform/xattr.ts';
import { asBackupError } from '../backup-error.ts';

/** Which ones to leave out. */
export interface AttributeOptions {
  readonly noFlags: boolean;
  readonly noXattrs: boolean;
  readonly noAcls: boolean;
  /** Numbers of users and groups only. */
  readonly numericIds: boolean;
}

/** Absent where there are none. */
export interface Attributes {
  /** BSD flags. */
  readonly flags: number;
  readonly xattrs?: Xattrs | undefined;
  /** Attributes that could not be read, in words. */
  readonly xattrWarnings?: readonly string[] | undefined;
  readonly acls?: Acls | undefined;
}

const NONE: Attributes = { flags: 0 };
const NO_ACLS: Acls = {};

/** Of an open file, or of a path that is not followed; `shown` names it in warnings. Throws BackupError. */
export function readAttributes(
  target: number | Uint8Array,
  stat: FileStat,
  shown: Uint8Array,
  options: AttributeOptions,
): Attributes {
  const { noFlags, noXattrs, noAcls, numericIds } = options;
  let operation = 'extended stat (flags)';
  try {
    const flags = noFlags ? 0 : flagsOf(target, stat);
    operation = 'extended stat (xattrs)';
    const found = noXattrs ? undefined : readXattrs(target, shown);
    operation = 'extended stat (ACLs)';
    const hasNone = typeof target === 'number' && showsNoAcls(target, stat, found?.namesAcls);
    const acls = noAcls || hasNone ? NO_ACLS : getAcls(target, stat.mode, { numericIds });
    const xattrs = found?.xattrs.size ? found.xattrs : undefined;
    const xattrWarnings = found?.warnings.length ? found.warnings : undefined;
    const hasAcls = acls.aclAccess !== undefined || acls.aclDefault !== undefined;
    if (flags === 0 && !hasAcls && xattrs === undefined && xattrWarnings === undefined) return NONE;
    return { flags, xattrs, xattrWarnings, acls: hasAcls ? acls : undefined };
  } catch (error) {
    throw asBackupError(operation, error);
  }
}
