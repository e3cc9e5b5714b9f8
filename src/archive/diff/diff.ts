/**
 * Finds what differs between two archives of a repository.
 *
 * Source: Borg 1.4.5, archiver.py, do_diff.
 */
import { IncludePatternNeverMatchedWarning } from '../../errors.ts';
import { Archive, type ArchiveOptions } from '../archive.ts';
import { normalizeChunkerParams } from '../listing/archive-info.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';
import type { Session } from '../session.ts';
import { compareArchives, type PathDiff } from './compare-archives.ts';
import { type DiffSortKey, sortDiffs } from './sort-diffs.ts';

export interface DiffOptions extends ArchiveOptions {
  /** Paths to compare. */
  readonly matcher: PatternMatcher;
  /** Look at contents alone, not at owners, modes and times. */
  readonly contentOnly?: boolean | undefined;
  /** Compare owners by number, not by name. */
  readonly numericIds?: boolean | undefined;
  /** Believe that both archives were cut with the same parameters, whatever they say. */
  readonly sameChunkerParams?: boolean | undefined;
  /** Most significant first; without any, differences come as they are found. */
  readonly sortBy?: readonly DiffSortKey[] | undefined;
}

/**
 * The paths that differ. Where the archives were cut in different ways, contents are read and compared.
 *
 * @throws ArchiveDoesNotExist; ObjectNotFound, IntegrityError where an archive is damaged
 */
export async function* diffArchives(
  session: Session,
  names: readonly [before: string, after: string],
  options: DiffOptions,
): AsyncGenerator<PathDiff, void, undefined> {
  const { ctx } = session;
  const { considerPartFiles } = options;
  const before = await Archive.open(session, names[0], { considerPartFiles });
  const after = await Archive.open(session, names[1], { considerPartFiles });
  const differences = differencesOnly(
    compareArchives(ctx, before, after, {
      matcher: options.matcher,
      contentOnly: options.contentOnly ?? false,
      numericIds: options.numericIds ?? false,
      sameChunker: options.sameChunkerParams === true || sameChunkerParams(session, before, after),
    }),
  );
  if (options.sortBy === undefined || options.sortBy.length === 0) yield* differences;
  else yield* sortDiffs(await Array.fromAsync(differences), options.sortBy);
  for (const pattern of options.matcher.unmatchedIncludePatterns()) {
    ctx.reporter.warn(new IncludePatternNeverMatchedWarning([pattern]));
  }
}

async function* differencesOnly(diffs: AsyncIterable<PathDiff>): AsyncGenerator<PathDiff, void, undefined> {
  for await (const diff of diffs) if (!diff.equal) yield diff;
}

function sameChunkerParams({ ctx }: Session, before: Archive, after: Archive): boolean {
  const [a, b] = [before, after].map(({ metadata }) => normalizeChunkerParams(metadata.chunkerParams));
  if (a!.length === 0 || b!.length === 0) {
    ctx.reporter.log(
      'warning',
      '--chunker-params might be different between archives, diff will be slow.\n' +
        'If you know for certain that they are the same, pass --same-chunker-params to override this check.',
    );
    return false;
  }
  const same = a!.join() === b!.join();
  if (!same) {
    const text = '--chunker-params are different between archives, diff will be slow.';
    ctx.reporter.log('warning', text);
  }
  return same;
}
