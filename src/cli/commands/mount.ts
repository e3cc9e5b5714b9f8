import { GeneralError, RTError } from '../../errors.ts';
import { serveMount } from '../../mount/fuse/serve-mount.ts';
import { enterBackground, startInBackground } from '../../platform/background.ts';
import { hasFuse, isMountpoint } from '../../platform/fuse-mount.ts';
import { describeOsError, isOsError } from '../../platform/os-error.ts';
import { realPath } from '../../platform/real-path.ts';
import { processOwner } from '../../platform/system.ts';
import { gidToName, uidToName } from '../../platform/users.ts';
import { encodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { SignalReceived } from '../io.ts';
import { openTree } from '../open-tree.ts';
import { numericIdsOptions } from '../options/create-options.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { parseMountOptions, type MountOptions } from '../options/mount-options.ts';
import { locationOf, pathsOf } from '../options/positionals.ts';
import { threadsOption } from '../options/threads.ts';
import { considerCheckpointsOption, treeOptions, type TreeArgs } from '../options/tree-options.ts';

interface MountArgs extends TreeArgs {
  readonly mountpoint: string;
  readonly foreground: boolean;
  readonly options: string | undefined;
  readonly numericIds: boolean;
}

export const mount = defineCommand<MountArgs>({
  name: 'mount',
  description: `
Shows an archive, or a directory for each archive of a repository, as files and directories below MOUNTPOINT, to look at and
to copy. Nothing can be written. An archive of a repository is read when its directory is entered.

It goes on in the background until "umount" (or umount(8)), and holds a shared lock on the repository meanwhile. With
--foreground, Ctrl-C unmounts. A process in the background that is told to end, or is killed, does not unmount: who copies
from there, as rsync does, shall find errors and not an empty directory. "umount" clears away what is left.

-o takes options of mount.fuse(8), parted by commas, and:

 versions             merge the archives of a repository: each file is a directory of its versions
 allow_damaged_files  files that "check --repair" filled up with zeros can be read, too
 ignore_permissions   everybody who reaches the mountpoint may read everything: leaves out default_permissions
 uid=N, gid=N         the owner and group of all files
 umask=M              what to take away from all modes, in octal
 allow_other          other users reach the mountpoint; modes and ACLs say what they may

Owners and groups are those that have the archived names here; with --numeric-ids, the archived numbers. Symbolic links are
shown as they are: they may lead out of the mountpoint.

A link called borgfs is this command; with it, fstab can mount:

 /path/to/repo::monday  /mnt  fuse.borgfs  noauto,user  0 0`,
  positionals: [
    locationOf('REPOSITORY_OR_ARCHIVE', 'the repository or archive to mount'),
    {
      metavar: 'MOUNTPOINT',
      dest: 'mountpoint',
      arity: 'one',
      completes: 'directories',
      help: 'where to mount it',
    },
    pathsOf('what to show of the archives; patterns are possible'),
  ],
  options: [
    optionGroup(
      'Options',
      considerCheckpointsOption,
      flag(['-f', '--foreground'], 'foreground', 'stay in the foreground'),
      {
        flags: ['-o'],
        dest: 'options',
        metavar: 'OPTIONS',
        action: 'once',
        completes: 'nothing',
        help: 'mount options, parted by commas',
      },
      ...numericIdsOptions,
      threadsOption,
    ),
    ...treeOptions,
  ],
  examples: [
    { command: 'alcove mount /path/to/repo /mnt', text: 'all archives' },
    { command: 'alcove mount /path/to/repo::monday /mnt home/anna', text: 'a part of one archive' },
    { command: 'alcove mount -o versions --last 10 /path/to/repo /mnt', text: 'versions of files' },
    { command: 'alcove umount /mnt', text: 'unmount' },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    const background = ctx.io.isBackground === true;
    checkMountpoint(ctx, args);
    const options = parseMountOptions(args.options);
    checkOptions(ctx, args, options);
    if (!args.foreground && !background) {
      const start = await startInBackground(ctx.env);
      return start.ready ? 0 : start.exitCode;
    }
    return serve(ctx, args, options, background);
  },
});

/** Before anybody is asked for a passphrase. */
function checkMountpoint(ctx: CliContext, { mountpoint }: MountArgs): void {
  try {
    if (isMountpoint(encodeSurrogateEscaped(realPath(mountpoint, ctx.cwd)))) return;
  } catch (error) {
    if (!isOsError(error, 'ENOTCONN')) throw error;
    throw new RTError(
      [`${mountpoint}: what is mounted there is served by nobody any more, "umount" it first`],
      error,
    );
  }
  throw new RTError([`${mountpoint}: Mount point must be a writable directory`]);
}

function checkOptions(ctx: CliContext, { location }: MountArgs, options: MountOptions): void {
  const { uid, gid } = options;
  const [unknown] = options.unknown;
  if (unknown !== undefined) {
    ctx.reporter.log('error', `fuse: unknown option(s): \`-o ${unknown}'`);
    throw mountFailed();
  }
  if (options.versions && location.archive !== undefined) {
    throw new GeneralError([
      'for versions view, do not specify a single archive, but always give the repository as location.',
    ]);
  }
  if (uid !== undefined && uidToName(uid) === undefined) throw unresolved('uid', 'username', 'user', uid);
  if (gid !== undefined && gidToName(gid) === undefined) throw unresolved('gid', 'group name', 'group', gid);
}

function unresolved(option: string, what: string, whose: string, id: number): GeneralError {
  return new GeneralError([
    `${option} ${id} can not be resolved to a ${what}. ` +
      `Please check that the corresponding ${whose} exists or do not specify a ${option} mount option.`,
  ]);
}

async function serve(
  ctx: CliContext,
  args: MountArgs,
  options: MountOptions,
  background: boolean,
): Promise<void> {
  const mountpoint = encodeSurrogateEscaped(realPath(args.mountpoint, ctx.cwd));
  const { versions, allowDamagedFiles, uid, gid, umask } = options;
  const { numericIds } = args;
  const { vfs } = await openTree(ctx, args, { versions, allowDamagedFiles, uid, gid, umask, numericIds });
  await using _vfs = vfs;
  ctx.reporter.log('info', 'Mounting filesystem');
  let mounted = false;
  try {
    await serveMount(ctx, vfs, {
      mountpoint,
      source: options.source,
      subtype: options.subtype,
      flags: options.flags,
      options: options.kernelOptions,
      onlyUid: options.allowRoot ? processOwner().uid : undefined,
      onMounted: () => {
        mounted = true;
        if (background) enterBackground(ctx.env);
      },
      unmountsFor: (reason) =>
        !background && reason instanceof SignalReceived && reason.signalName === 'SIGINT',
    });
  } catch (error) {
    if (mounted || error === ctx.signal.reason) throw error;
    explainFailure(ctx, error);
    throw mountFailed(error);
  }
}

/** As the system says it. */
function explainFailure({ reporter }: CliContext, error: unknown): void {
  if (!hasFuse() && isOsError(error)) {
    reporter.log(
      'error',
      `mount: there is no FUSE here that can be used: ${describeOsError(error, '/dev/fuse')}`,
    );
  } else if (isOsError(error, 'ENOENT') && error.syscall === 'spawn') {
    reporter.log(
      'error',
      'mount: only root can do it without fusermount3, which is not installed (package fuse3)',
    );
  } else if (error instanceof Error) {
    reporter.log('error', `mount: ${describeOsError(error)}`);
  }
}

function mountFailed(cause?: unknown): RTError {
  return new RTError(['FUSE mount failed'], cause);
}
