/** Repositories on other machines: how the command line's options reach them. */
import { createLocalRepository, type RepositoryCreator } from '../archive/init-repository.ts';
import { openLocalRepository, type RepositoryOpener } from '../archive/session.ts';
import type { Location } from '../format/location.ts';
import type { RemoteOptions } from '../remote/open-remote.ts';
import type { CliContext } from './context.ts';
import type { CommonArgs } from './options/common.ts';
import { fillPlaceholders } from './options/placeholder-values.ts';

const KIB = 1024;
const MIB = 1024 * 1024;

/** Opens repositories of this machine and of others. */
export function openerFor(ctx: CliContext, args: CommonArgs): RepositoryOpener {
  return async (context, location, options) => {
    if (location.proto === 'file') return openLocalRepository(context, location, options);
    const { openRemoteRepository } = await import('../remote/open-remote.ts');
    return openRemoteRepository(context, location, { ...(await remoteOptions(ctx, args)), ...options });
  };
}

/** Makes them. */
export function creatorFor(ctx: CliContext, args: CommonArgs): RepositoryCreator {
  return async (context, location, options) => {
    if (location.proto === 'file') return createLocalRepository(context, location, options);
    const { openRemoteRepository } = await import('../remote/open-remote.ts');
    const remote = await remoteOptions(ctx, args);
    return openRemoteRepository(context, location, { ...remote, ...options, create: true, exclusive: true });
  };
}

/** The version that the server of the location speaks. */
export async function serverVersionAt(
  ctx: CliContext,
  args: CommonArgs,
  location: Location,
): Promise<string> {
  const { openRemoteRepository } = await import('../remote/open-remote.ts');
  const { formatWireVersion } = await import('../remote/wire-version.ts');
  const options = { ...(await remoteOptions(ctx, args)), lock: false, lockWaitSeconds: args.lockWait };
  await using repository = await openRemoteRepository(ctx, location.omitArchive(), options);
  return formatWireVersion(repository.serverVersion);
}

async function remoteOptions(ctx: CliContext, args: CommonArgs): Promise<RemoteOptions> {
  const remotePath = args.remotePath || ctx.env['BORG_REMOTE_PATH'];
  return {
    rsh: args.rsh,
    remotePath: remotePath ? await fillPlaceholders(remotePath, ctx.io) : undefined,
    logLevel: args.logLevel,
    debugTopics: args.debugTopics,
    uploadBytesPerSecond: (args.uploadRatelimit ?? 0) * KIB,
    uploadBufferBytes: (args.uploadBuffer ?? 0) * MIB,
  };
}
