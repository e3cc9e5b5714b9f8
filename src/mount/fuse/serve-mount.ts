/**
 * A tree of files, mounted.
 *
 * Source: Borg 1.4.5, fuse.py, FuseOperations.mount.
 */
import { FuseDevice } from '../../platform/fuse-device.ts';
import { type FuseMountOptions, mountFuse, unmountFuse } from '../../platform/fuse-mount.ts';
import type { Context } from '../../util/context.ts';
import type { Vfs } from '../vfs.ts';
import { FuseSession } from './session.ts';

export interface ServeMountOptions extends Omit<FuseMountOptions, 'env'> {
  /** Absolute, without symbolic links. */
  readonly mountpoint: Uint8Array;
  /** Only this user, and root, may use it. */
  readonly onlyUid?: number | undefined;
  /** Called when it is mounted. */
  readonly onMounted: () => void;
  /** Whether to unmount for this reason of the context's signal. Otherwise it stays, and whoever uses it gets errors. */
  readonly unmountsFor: (reason: unknown) => boolean;
}

/**
 * Mounts, and serves until it is unmounted, or until the context's signal. The tree stays open.
 *
 * @throws what mountFuse throws
 */
export async function serveMount(ctx: Context, vfs: Vfs, options: ServeMountOptions): Promise<void> {
  const { env, reporter, signal } = ctx;
  const { mountpoint, onlyUid } = options;
  signal.throwIfAborted();
  using device = new FuseDevice(await mountFuse(mountpoint, { ...options, env }));
  const session = new FuseSession(vfs, {
    send: (parts) => device.send(parts),
    reporter,
    heedsAcls: options.options.includes('default_permissions'),
    onlyUid,
  });
  const stop = async () => {
    if (options.unmountsFor(signal.reason)) await unmountFuse(mountpoint, env);
  };
  let stopping: Promise<void> | undefined;
  const onAbort = () => {
    stopping = stop().finally(() => device.stop());
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    // Between the look at it above and the listener it may have come.
    if (signal.aborted) onAbort();
    options.onMounted();
    await device.serve(session);
    await stopping;
  } finally {
    signal.removeEventListener('abort', onAbort);
    session.close();
  }
}
