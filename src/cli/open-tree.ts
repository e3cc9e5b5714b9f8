/** The archive or the archives of a command line as a tree of files. */
import { selectArchives } from '../archive/archive-selection.ts';
import { LastingRepository } from '../archive/lasting-repository.ts';
import type { PatternMatcher } from '../archive/patterns/pattern-matcher.ts';
import type { Session } from '../archive/session.ts';
import { openVfs, type VfsOptions } from '../mount/open-vfs.ts';
import type { Vfs } from '../mount/vfs.ts';
import type { CliContext } from './context.ts';
import { openSessionAt } from './open-session.ts';
import { selectionOf } from './options/archive-filters.ts';
import { buildMatcher } from './options/exclusion.ts';
import type { TreeArgs } from './options/tree-options.ts';
import { openerFor } from './remote-options.ts';

export interface OpenTree {
  /** Its close() closes the session, too. */
  readonly vfs: Vfs;
  readonly session: Session;
  readonly matcher: PatternMatcher;
  /** For whole archives: outlives a lost connection, as the tree does. To be closed before it. */
  readonly objects: LastingRepository;
}

export interface TreeSettings extends Omit<
  VfsOptions,
  'show' | 'matcher' | 'stripComponents' | 'considerPartFiles' | 'reopen' | 'threads'
> {
  /** Merge the archives of a repository. */
  readonly versions?: boolean | undefined;
}

/** @throws what openSession, buildMatcher and openVfs throw */
export async function openTree(
  ctx: CliContext,
  args: TreeArgs,
  settings: TreeSettings = {},
): Promise<OpenTree> {
  const { versions, ...options } = settings;
  const { location, considerCheckpoints, considerPartFiles, stripComponents, threads } = args;
  const matcher = buildMatcher(args);
  const session = await openSessionAt(ctx, args, { operations: ['read'] });
  try {
    const selection = { ...selectionOf(args), considerCheckpoints };
    const show =
      location.archive === undefined
        ? { archives: selectArchives(session.manifest.archives, selection), versions }
        : { archive: location.archive };
    const reopen = location.proto === 'file' ? undefined : reopenerOf(ctx, args);
    const vfs = await openVfs(session, {
      ...options,
      show,
      matcher,
      stripComponents,
      considerPartFiles,
      reopen,
      threads,
    });
    const objects = new LastingRepository(session.repository, ctx.reporter, { reopen });
    return { vfs, session, matcher, objects };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Another connection to the same repository. */
function reopenerOf(ctx: CliContext, args: TreeArgs): NonNullable<VfsOptions['reopen']> {
  const { location, lock, lockWait: lockWaitSeconds } = args;
  return () => openerFor(ctx, args)(ctx, location, { lock, lockWaitSeconds });
}
