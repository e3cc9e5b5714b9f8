import { runUnmount } from '../../platform/fuse-mount.ts';
import { encodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import { defineCommand } from '../command.ts';
import type { CommonArgs } from '../options/common.ts';

interface UmountArgs extends CommonArgs {
  readonly mountpoint: string;
}

export const umount = defineCommand<UmountArgs>({
  name: 'umount',
  description: `
Unmounts what "mount" has mounted, by the system's program for it (fusermount -u, or umount), with whose exit code it ends. The
process that served the files ends then, and gives up its lock on the repository. Where that process was killed, it clears
away the mountpoint that was left behind.`,
  positionals: [
    {
      metavar: 'MOUNTPOINT',
      dest: 'mountpoint',
      arity: 'one',
      completes: 'directories',
      help: 'where it is mounted',
    },
  ],
  options: [],
  examples: [{ command: 'alcove umount /mnt', text: 'unmount' }],
  mayBypassLock: true,

  run(ctx, args) {
    return runUnmount(encodeSurrogateEscaped(args.mountpoint), ctx.env);
  },
});
