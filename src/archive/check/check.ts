/**
 * Checks a repository and what is in it, and mends what is damaged.
 *
 * Source: Borg 1.4.5, archiver.py, do_check.
 */
import { unlockAhead } from '../../keys/unlock-ahead.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import type { RepositoryCheckOptions, RepositoryCheckResult } from '../../repository/check-result.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Context } from '../../util/context.ts';
import { ArchivesBeside } from './archives-beside.ts';
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

/** Below this much, a thread takes longer to start than all segments take to be read. */
const BESIDE_FROM_BYTES = 64 * 2 ** 20;

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
  besideFromBytes: number = BESIDE_FROM_BYTES,
): Promise<CheckResult> {
  const { parts = 'both' } = options;
  let checked: RepositoryCheckResult | undefined;
  let beside: ArchivesBeside | undefined;
  // Nobody waits for it then.
  if (parts === 'both') await unlockAhead(ctx, repository);
  if (parts === 'repository' || parts === 'both') {
    if (canBeBeside(ctx, options)) {
      const threads = (options.threads ?? defaultThreadCount()) - 1;
      beside = new ArchivesBeside(ctx, { threads, fromBytes: besideFromBytes }, (held) =>
        checkArchives(held, repository, options),
      );
    }
    checked = await repository.check(options, beside);
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
    archives =
      (await beside?.result()) ??
      (await checkArchives(ctx, repository, { ...options, damagedIds: checked?.lostIds }));
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

/**
 * Whether the archives may be checked while the repository's files are: nothing is changed, no other threads are needed for
 * it, and no one is bothered for a passphrase before it is known whether it is needed.
 */
function canBeBeside(
  { env }: Context,
  { parts = 'both', repair, verifyData, threads }: CheckOptions,
): boolean {
  const bothers =
    env.BORG_PASSPHRASE === undefined &&
    (env.BORG_PASSCOMMAND !== undefined || env.BORG_PASSPHRASE_FD !== undefined);
  const isPlain = parts === 'both' && repair !== true && verifyData !== true;
  return isPlain && !bothers && (threads ?? defaultThreadCount()) > 1;
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
