/**
 * Checks a repository and what is in it, and mends what is damaged.
 *
 * Source: Borg 1.4.5, archiver.py, do_check.
 */
import { unlockAhead } from '../../keys/unlock-ahead.ts';
import type { RepositoryCheckOptions, RepositoryCheckResult } from '../../repository/check-result.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Context } from '../../util/context.ts';
import { type ArchivesCheckOptions, type ArchivesCheckResult, checkArchives } from './check-archives.ts';
import type { DamageCollector } from './damage.ts';
import { LOGGER } from './check-state.ts';
import { type AffectedFiles, findAffected } from './find-affected.ts';

export interface CheckOptions extends RepositoryCheckOptions, Omit<ArchivesCheckOptions, 'damagedIds'> {
  /** What is checked: the repository's files, the archives, nothing, or both, which is the default. */
  readonly parts?: 'both' | 'repository' | 'archives' | 'none' | undefined;
  /** Whether to find out which files need what the repository's check finds damaged. Default true. */
  readonly findAffected?: boolean | undefined;
}

export interface CheckResult {
  /** Nothing is wrong, or all of it was mended. */
  readonly ok: boolean;
  /** Undefined where that part was not checked. */
  readonly repository: RepositoryCheckResult | undefined;
  readonly archives: ArchivesCheckResult | undefined;
  /** Who needs what is damaged or missing, as far as is known. */
  readonly damage: DamageCollector | undefined;
  /** Why nothing, or not all, is known of that. */
  readonly damageProblem: string | undefined;
}

/**
 * Needs the exclusive lock. Where the repository itself is damaged and not mended, its archives are not checked, as in
 * Borg; only who needs what is damaged is found out.
 *
 * @throws what checking a repository, and what checkArchives() throws
 */
export async function checkRepository(
  ctx: Context,
  repository: Repository,
  options: CheckOptions = {},
): Promise<CheckResult> {
  const { parts = 'both' } = options;
  let checked: RepositoryCheckResult | undefined;
  // Nobody waits for it then.
  if (parts === 'both') await unlockAhead(ctx, repository);
  if (parts === 'repository' || parts === 'both') {
    checked = await repository.check(options);
    const planned = options.repair === true && options.dryRun === true;
    if (parts === 'repository' || (!checked.ok && !planned)) {
      const affected = await affectedBy(ctx, repository, checked, options);
      const { damage, problem } = affected ?? {};
      return { ok: checked.ok, repository: checked, archives: undefined, damage, damageProblem: problem };
    }
  }
  if (parts === 'none') return NOTHING;
  let archives: ArchivesCheckResult;
  try {
    archives = await checkArchives(ctx, repository, { ...options, damagedIds: checked?.lostIds });
  } catch (error) {
    if (options.repair === true && options.dryRun !== true && checked?.damage?.length) {
      const text = `The repository's files were repaired, its archives were not: run "check --repair" again before the next backup.`;
      ctx.reporter.log('warning', text, LOGGER);
    }
    throw error;
  }
  return {
    ok: archives.ok && (checked?.ok ?? true),
    repository: checked,
    archives,
    damage: archives.damage,
    damageProblem: undefined,
  };
}

const NOTHING: CheckResult = {
  ok: true,
  repository: undefined,
  archives: undefined,
  damage: undefined,
  damageProblem: undefined,
};

async function affectedBy(
  ctx: Context,
  repository: Repository,
  { ok, lostIds }: RepositoryCheckResult,
  options: CheckOptions,
): Promise<AffectedFiles | undefined> {
  // Without archives there may be no key at hand, and a server does not say what is damaged.
  if (ok || lostIds === undefined || options.parts === 'repository' || options.findAffected === false) {
    return undefined;
  }
  return findAffected(ctx, repository, lostIds, options);
}
