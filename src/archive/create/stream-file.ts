/**
 * The standard input, or what a command prints, as a file of an archive.
 *
 * Source: Borg 1.4.5, archive.py, FilesystemObjectProcessors.process_pipe.
 */
import { GeneralError } from '../../errors.ts';
import type { Item } from '../../format/item.ts';
import { nameToGid, nameToUid } from '../../platform/users.ts';
import { fromUtf8 } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { type BackupError, fileError } from '../backup-error.ts';
import type { BackupRun } from './backup-run.ts';
import { PendingFile, totalSize } from './pending-file.ts';

export interface StreamOptions {
  /** In the archive. */
  readonly path: Uint8Array;
  readonly mode: number;
  readonly user: string;
  readonly group: string;
}

const NS_PER_S = 1_000_000_000n;
const MODE_MASK = 0o107777;
const REGULAR = 0o100000;

/**
 * Reads the descriptor to its end. `failed` takes the error of the stream; by default it is a warning.
 *
 * @throws GeneralError where there is no such user or group
 */
export function addStream(
  ctx: Context,
  run: BackupRun,
  fd: number,
  options: StreamOptions,
  failed?: (error: BackupError) => void,
): void {
  const { path } = options;
  const item = streamItem(ctx, options);
  const file = new PendingFile({ path, item, firstStatus: 'i' });
  run.read(
    file,
    { path, fd },
    {
      settle(result) {
        if (result.error !== undefined) file.error = fileError(result.error);
      },
      finish() {
        run.status('i', path);
        if (file.error !== undefined) {
          if (failed !== undefined) return failed(file.error);
          run.warn(file.error.toWarning(path));
          return run.status('E', path);
        }
        item.chunks = file.chunks;
        item.size = totalSize(file.chunks);
        item.hardlinkMaster = false;
        run.writer.statistics.files += 1;
        run.addItem(item);
      },
    },
  );
}

function streamItem(ctx: Context, { path, mode, user, group }: StreamOptions): Item {
  const uid = nameToUid(fromUtf8(user));
  if (uid === undefined) throw new GeneralError([`no such user: ${user}`]);
  const gid = nameToGid(fromUtf8(group));
  if (gid === undefined) throw new GeneralError([`no such group: ${group}`]);
  const timeNs = (ctx.nowNs() / NS_PER_S) * NS_PER_S;
  return {
    path,
    mode: (mode & MODE_MASK) | REGULAR,
    uid,
    user: fromUtf8(user),
    gid,
    group: fromUtf8(group),
    mtimeNs: timeNs,
    atimeNs: timeNs,
    ctimeNs: timeNs,
  };
}
