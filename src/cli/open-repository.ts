/** Repositories of the command line for commands that need no key. */
import { breakCacheLock } from '../archive/cache/local-cache.ts';
import { CommandError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import { SegmentRepository } from '../repository/segment-repository.ts';
import type { CliContext } from './context.ts';
import type { CommonArgs } from './options/common.ts';
import type { LocationArgs } from './options/positionals.ts';
import { openerFor } from './remote-options.ts';

export interface RepositoryNeeds {
  /** To write to it. */
  readonly exclusive?: boolean;
  /** False takes no lock, also without --bypass-lock. */
  readonly lock?: boolean;
}

type RepositoryArgs = CommonArgs & LocationArgs;

export function openRepositoryAt(
  ctx: CliContext,
  args: RepositoryArgs,
  needs: RepositoryNeeds = {},
): Promise<Repository> {
  return openerFor(ctx, args)(ctx, args.location, {
    exclusive: needs.exclusive,
    lock: needs.lock ?? args.lock,
    lockWaitSeconds: args.lockWait,
  });
}

/** A repository whose segments can be looked into: one of this machine. */
export async function openSegmentRepositoryAt(
  ctx: CliContext,
  args: RepositoryArgs,
  needs: RepositoryNeeds = {},
): Promise<SegmentRepository> {
  const repository = await openRepositoryAt(ctx, args, needs);
  if (repository instanceof SegmentRepository) return repository;
  await repository.close();
  throw new CommandError(['this needs a repository on this machine']);
}

/** Removes the locks of the repository and of its cache here, whoever holds them. */
export async function breakLocks(ctx: CliContext, args: RepositoryArgs): Promise<void> {
  await using repository = await openRepositoryAt(ctx, args, { lock: false });
  await repository.breakLock();
  breakCacheLock(ctx, repository.idHex);
}
