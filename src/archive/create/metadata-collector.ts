/**
 * What an item says about a file besides its content.
 *
 * Source: Borg 1.4.5, archive.py, MetadataCollector.
 */
import type { Item } from '../../format/item.ts';
import type { FileStat } from '../../platform/file-stat.ts';
import { gidToName, uidToName } from '../../platform/users.ts';
import type { Reporter } from '../../util/reporter.ts';
import type { Attributes, AttributeOptions } from './attributes.ts';

export interface MetadataOptions extends AttributeOptions {
  /** Store the time of last access. */
  readonly atime: boolean;
  readonly noCtime: boolean;
  readonly noBirthtime: boolean;
}

export class MetadataCollector {
  readonly #options: MetadataOptions;
  readonly #reporter: Reporter;

  constructor(options: MetadataOptions, reporter: Reporter) {
    this.#options = options;
    this.#reporter = reporter;
  }

  /** An item of what stat(2) says; times as they are, where Borg bends those before 1970 or after 2038. */
  newItem(path: Uint8Array, stat: FileStat): Item {
    const { atime, noCtime, noBirthtime, numericIds } = this.#options;
    const { uid, gid } = stat;
    const item: Item = {
      path,
      mode: stat.mode,
      uid,
      gid,
      mtimeNs: stat.mtimeNs,
      user: numericIds ? null : (uidToName(uid) ?? null),
      group: numericIds ? null : (gidToName(gid) ?? null),
    };
    if (atime) item.atimeNs = stat.atimeNs;
    if (!noCtime) item.ctimeNs = stat.ctimeNs;
    if (!noBirthtime && stat.birthtimeNs !== undefined) item.birthtimeNs = stat.birthtimeNs;
    return item;
  }

  /** Puts into the item its flags, extended attributes and ACLs, and warns of those that could not be read. */
  addAttributes(item: Item, { flags, xattrs, xattrWarnings = [], acls }: Attributes): void {
    for (const warning of xattrWarnings) this.#warnXattr(warning);
    if (flags !== 0) item.bsdflags = flags;
    if (xattrs !== undefined) item.xattrs = xattrs;
    if (acls?.aclAccess !== undefined) item.aclAccess = acls.aclAccess;
    if (acls?.aclDefault !== undefined) item.aclDefault = acls.aclDefault;
  }

  /** An attribute could not be read; the item goes without it. */
  #warnXattr(warning: string): void {
    this.#reporter.log('warning', warning, { logger: 'borg.xattr' });
  }
}
