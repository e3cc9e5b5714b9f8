/**
 * What an item says about a file besides its content.
 *
 * Source: Borg 1.4.5, archive.py, MetadataCollector.
 */
import type { Item } from '../../format/item.ts';
import { getAcls } from '../../platform/acl.ts';
import { flagsOf } from '../../platform/bsd-flags.ts';
import type { FileStat } from '../../platform/file-stat.ts';
import { gidToName, uidToName } from '../../platform/users.ts';
import { isOsError } from '../../platform/os-error.ts';
import { readXattrs } from '../../platform/xattr.ts';
import type { Reporter } from '../../util/reporter.ts';
import { backupIo } from '../backup-error.ts';

export interface MetadataOptions {
  /** Store the time of last access. */
  readonly atime: boolean;
  readonly noCtime: boolean;
  readonly noBirthtime: boolean;
  /** Store numbers of users and groups only. */
  readonly numericIds: boolean;
  readonly noFlags: boolean;
  readonly noAcls: boolean;
  readonly noXattrs: boolean;
}

export class MetadataCollector {
  readonly #options: MetadataOptions;
  readonly #reporter: Reporter;

  constructor(options: MetadataOptions, reporter: Reporter) {
    this.#options = options;
    this.#reporter = reporter;
  }

  /** Puts into the item what stat(2) says; times as they are, where Borg bends those before 1970 or after 2038. */
  addSimple(item: Item, stat: FileStat): void {
    const { atime, noCtime, noBirthtime, numericIds } = this.#options;
    item.mode = stat.mode;
    item.uid = stat.uid;
    item.gid = stat.gid;
    item.mtimeNs = stat.mtimeNs;
    if (atime) item.atimeNs = stat.atimeNs;
    if (!noCtime) item.ctimeNs = stat.ctimeNs;
    if (!noBirthtime && stat.birthtimeNs !== undefined) item.birthtimeNs = stat.birthtimeNs;
    item.user = numericIds ? null : (uidToName(stat.uid) ?? null);
    item.group = numericIds ? null : (gidToName(stat.gid) ?? null);
  }

  /** Puts into the item its flags, extended attributes and ACLs; of the open file, or of the path. */
  addExtended(item: Item, stat: FileStat, path: Uint8Array, fd: number | undefined): void {
    const { noFlags, noXattrs, noAcls, numericIds } = this.#options;
    const target = fd ?? path;
    if (!noFlags) {
      const flags = backupIo('extended stat (flags)', () => flagsOf(target, stat));
      if (flags !== 0) item.bsdflags = flags;
    }
    if (!noXattrs) {
      const { xattrs, warnings } = backupIo('extended stat (xattrs)', () => readXattrs(target, path));
      for (const warning of warnings) this.warnXattr(warning);
      if (xattrs.size > 0) item.xattrs = xattrs;
    }
    if (!noAcls) {
      const acls = backupIo('extended stat (ACLs)', () => aclsOf(target, stat.mode, numericIds));
      if (acls.aclAccess !== undefined) item.aclAccess = acls.aclAccess;
      if (acls.aclDefault !== undefined) item.aclDefault = acls.aclDefault;
    }
  }

  /** An attribute could not be read; the item goes without it. */
  warnXattr(warning: string): void {
    this.#reporter.log('warning', warning, { logger: 'borg.xattr' });
  }
}

function aclsOf(target: number | Uint8Array, mode: number, numericIds: boolean): ReturnType<typeof getAcls> {
  try {
    return getAcls(target, mode, { numericIds });
  } catch (error) {
    if (isOsError(error, 'ENOTSUP', 'EOPNOTSUPP')) return {};
    throw error;
  }
}
