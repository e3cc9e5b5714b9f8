/**
 * Where and by whom an archive is made, as its metadata says it.
 *
 * Source: Borg 1.4.5, archive.py, Archive.save.
 */
import { getHostname, getUserName } from '../../platform/host-name.ts';
import type { Context } from '../../util/context.ts';

export interface ArchiveOrigin {
  readonly hostname: string;
  readonly username: string;
  readonly cwd: string;
}

export function archiveOrigin(ctx: Context): ArchiveOrigin {
  return {
    hostname: ctx.env['BORG_HOSTNAME'] || getHostname(),
    username: ctx.env['BORG_USERNAME'] || loginName(ctx),
    cwd: ctx.cwd,
  };
}

/** As Python's getpass.getuser(). */
function loginName({ env }: Context): string {
  return env['LOGNAME'] || env['USER'] || env['LNAME'] || env['USERNAME'] || getUserName();
}
