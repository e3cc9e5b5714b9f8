/** The library's repositories: those of this machine, and those that a server keeps. */
import {
  createLocalRepository,
  initRepository,
  type InitOptions,
  type RepositoryCreator,
} from './archive/init-repository.ts';
import {
  openLocalRepository,
  openSession,
  type RepositoryOpener,
  type RepositoryOptions,
  type Session,
  type SessionOptions,
} from './archive/session.ts';
import { GeneralError } from './errors.ts';
import type { Location } from './format/location.ts';
import { openRemoteRepository, type RemoteOptions } from './remote/open-remote.ts';
import { SegmentRepository } from './repository/segment-repository.ts';
import type { Context } from './util/context.ts';

/** How a server is reached. `remotePath` has no placeholders; without it BORG_REMOTE_PATH counts, as it is. */
export type RemoteSettings = Pick<
  RemoteOptions,
  'rsh' | 'remotePath' | 'logLevel' | 'uploadBytesPerSecond' | 'uploadBufferBytes'
>;

/** Opens the repository at a location, wherever it is. Throws what openSession() and openRemoteRepository() throw. */
export function openAnyRepository(
  ctx: Context,
  location: Location,
  options: SessionOptions & { readonly remote?: RemoteSettings },
): Promise<Session> {
  const { remote, ...rest } = options;
  const open: RepositoryOpener = (context, place, given) =>
    place.proto === 'file'
      ? openLocalRepository(context, place, given)
      : openRemoteRepository(context, place, { ...remote, ...given });
  return openSession(ctx, location, { open, ...rest });
}

/** Makes one, with its key. Throws what initRepository() and openRemoteRepository() throw. */
export function initAnyRepository(
  ctx: Context,
  location: Location,
  options: InitOptions & { readonly remote?: RemoteSettings },
): Promise<Session> {
  const { remote, ...rest } = options;
  const create: RepositoryCreator = (context, place, given) =>
    place.proto === 'file'
      ? createLocalRepository(context, place, given)
      : openRemoteRepository(context, place, { ...remote, ...given, create: true, exclusive: true });
  return initRepository(ctx, location, { create, ...rest });
}

/**
 * Opens what has a log of transactions, for repositoryHistory() and planRollback(): a repository of this machine. Its
 * manifest and key may be an attacker's, or missing, so that nothing is asked of them here.
 *
 * @throws GeneralError where the repository is on another machine: the protocol tells nothing of logs
 */
export async function openSegmentRepository(
  ctx: Context,
  location: Location,
  options: RepositoryOptions = {},
): Promise<SegmentRepository> {
  if (location.proto !== 'file') {
    const where = location.canonicalPath();
    throw new GeneralError([
      `${where}: the history is to be had only on the machine that has the repository`,
    ]);
  }
  const repository = await openLocalRepository(ctx, location, options);
  if (repository instanceof SegmentRepository) return repository;
  await repository.close();
  throw new GeneralError([`${location.canonicalPath()}: this kind of repository has no history`]);
}
