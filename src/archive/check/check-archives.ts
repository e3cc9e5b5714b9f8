/**
 * Checks what the archives are made of: the list of archives, the archives, their files' chunks, and that nothing else
 * takes space.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.
 */
import { GeneralError, InvalidRPCMethod } from '../../errors.ts';
import { MANIFEST_ID, type Repository } from '../../repository/repository.ts';
import { equalBytes } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { type ArchiveSelection, selectArchives, type SelectedArchive } from '../archive-selection.ts';
import { Manifest } from '../manifest.ts';
import { ArchiveExaminer } from './archive-examiner.ts';
import { loadKeyOfObjects } from './check-key.ts';
import { type CheckMode, CheckState, LOGGER } from './check-state.ts';
import { DamageCollector } from './damage.ts';
import { damageText, isIntegrityError, ObjectSource } from './object-source.ts';
import { ObjectReferences } from './object-references.ts';
import { findNewerArchives } from './newer-archives.ts';
import { rebuildManifest } from './rebuild-manifest.ts';
import type { RepairLog } from './repair-log.ts';
import { verifyData } from './verify-data.ts';

export interface ArchivesCheckOptions {
  /** Mend what is wrong. Default false. */
  readonly repair?: boolean | undefined;
  /** With `repair`: change nothing, only say in `steps` what would be done. */
  readonly dryRun?: boolean | undefined;
  /** Read and verify all data too. Default false. */
  readonly verifyData?: boolean | undefined;
  /** Only this archive. */
  readonly archive?: string | undefined;
  /** Only these archives. Default: all, the oldest first. */
  readonly selection?: ArchiveSelection | undefined;
  /** Objects that the repository lost, to find out who needs them. */
  readonly damagedIds?: Iterable<Uint8Array> | undefined;
  /** Threads that decrypt and decompress. Default: one a processor. */
  readonly threads?: number | undefined;
}

export interface ArchivesCheckResult {
  /** Nothing is wrong, or all of it was mended (Borg: what ArchiveChecker.check() returns). With `dryRun`: nothing is. */
  readonly ok: boolean;
  readonly errorFound: boolean;
  /** Who needs what is damaged or missing. */
  readonly damage: DamageCollector;
  /** What a repair did, or would do. */
  readonly steps: RepairLog | undefined;
}

/**
 * Needs the exclusive lock. A repair is one transaction: it is committed as a whole, or nothing of it is.
 *
 * @throws IntegrityError where no object tells what key is needed; what loading the key throws; GeneralError for
 *   archives of a later format; MandatoryFeatureUnsupported
 */
export async function checkArchives(
  ctx: Context,
  repository: Repository,
  options: ArchivesCheckOptions = {},
): Promise<ArchivesCheckResult> {
  ctx.reporter.log('info', 'Starting archive consistency check...', LOGGER);
  const damage = new DamageCollector();
  const mode = modeOf(options);
  const chunks = await ObjectReferences.of(repository, mode === 'repair');
  if (chunks.size === 0) {
    const text = 'Repository contains no apparent data at all, cannot continue check/repair.';
    ctx.reporter.log('error', text, LOGGER);
    return { ok: false, errorFound: true, damage, steps: undefined };
  }
  const key = await loadKeyOfObjects(ctx, repository, chunks.ids());
  if (key.unverified && options.repair === true) {
    throw new GeneralError(['a repair writes to the archives, and needs the secrets of the key for that']);
  }
  const state = new CheckState(ctx, { repository, key, mode, chunks, damage });
  let hasOldManifest = false;
  for (const id of options.damagedIds ?? []) {
    // What is there again after a repair is older than what was lost; but the same, unless it is the manifest.
    if (mode === 'check' || !chunks.has(id)) damage.addDamagedChunk(id);
    else if (equalBytes(id, MANIFEST_ID)) hasOldManifest = true;
  }
  if (hasOldManifest) chunks.delete(MANIFEST_ID);
  try {
    await using objects = new ObjectSource(repository, key, options.threads);
    await new ArchivesRun(state, objects, options).run();
  } catch (error) {
    if (mode === 'repair') await repository.rollback();
    throw error;
  }
  const { errorFound } = state;
  const ok = mode === 'repair' || !errorFound;
  return { ok, errorFound, damage, steps: state.mends ? state.log : undefined };
}

function modeOf({ repair, dryRun }: ArchivesCheckOptions): CheckMode {
  if (repair !== true) return 'check';
  return dryRun === true ? 'plan' : 'repair';
}

class ArchivesRun {
  readonly #state: CheckState;
  readonly #objects: ObjectSource;
  readonly #options: ArchivesCheckOptions;

  constructor(state: CheckState, objects: ObjectSource, options: ArchivesCheckOptions) {
    this.#state = state;
    this.#objects = objects;
    this.#options = options;
  }

  async run(): Promise<void> {
    const state = this.#state;
    if (this.#options.verifyData === true) await verifyData(state, this.#objects);
    const noncesAreKnown = await this.#checkNonces();
    const manifest = await this.#manifest();
    state.chunks.delete(MANIFEST_ID);
    if (!noncesAreKnown && state.mends) {
      state.log.renewsNonces = true;
      if (state.mode === 'repair') await state.key.renewNonceMark();
    }
    const archives = this.#select(manifest);
    if (archives !== undefined) {
      const examiner = new ArchiveExaminer(state, manifest, this.#objects);
      const shown = { msgid: 'check.rebuild_refcounts', text: 'Checking archives %3.1f%%' };
      await examiner.run(archives, shown);
      // A list that was made again has all there is.
      if (this.#checksAll && state.damage.manifestProblem === undefined) {
        const newer = await findNewerArchives(state, manifest, this.#objects);
        if (newer.length > 0) await examiner.run(newer, shown);
      }
    }
    await this.#dealWithOrphans();
    if (state.mode === 'repair') await this.#commit(manifest);
    if (state.errorFound) state.say('error', 'Archive consistency check complete, problems found.');
    else state.say('info', 'Archive consistency check complete, no problems found.');
  }

  /** Says whether the repository's mark of used nonces can be read: without it, no backup can be made. */
  async #checkNonces(): Promise<boolean> {
    const { key, repository } = this.#state;
    if (key.material.cipher === 'none' || !repository.supportsNonces) return true;
    try {
      await repository.getFreeNonce();
      return true;
    } catch (error) {
      if (error instanceof InvalidRPCMethod) return true;
      if (!(error instanceof GeneralError)) throw error;
      this.#state.fail(`The mark of used nonces is damaged: ${error.message}`);
      return false;
    }
  }

  async #manifest(): Promise<Manifest> {
    const state = this.#state;
    const { ctx, repository, key, chunks, damage } = state;
    if (!chunks.has(MANIFEST_ID)) {
      state.fail('Repository manifest not found!');
      damage.manifestProblem = 'missing';
      return rebuildManifest(state, this.#objects);
    }
    try {
      return await Manifest.load(ctx, repository, ['check'], { key });
    } catch (error) {
      if (!isIntegrityError(error)) throw error;
      state.fail(`Repository manifest is corrupted: ${damageText(error)}`);
      damage.manifestProblem = error.message;
      chunks.delete(MANIFEST_ID);
      return rebuildManifest(state, this.#objects);
    }
  }

  /** Undefined where the archive that was asked for does not exist. */
  #select({ archives }: Manifest): SelectedArchive[] | undefined {
    const state = this.#state;
    const { archive, selection } = this.#options;
    if (archive !== undefined) {
      const entry = archives.get(archive);
      if (entry !== undefined) return selectArchives([[archive, entry]]);
      state.fail(`Archive '${archive}' not found.`);
      return undefined;
    }
    const selected = selectArchives(archives, { sortBy: ['ts'], ...selection });
    const { first, last, prefix } = selection ?? {};
    const glob = prefix === undefined ? selection?.glob : `${prefix}*`;
    if (glob && selected.length === 0) {
      state.say('warning', `--glob-archives ${glob} does not match any archives`);
    }
    for (const [option, wanted] of [
      ['--first', first],
      ['--last', last],
    ] as const) {
      if (wanted && selected.length < wanted) {
        state.say('warning', `${option} ${wanted} archives: only found ${selected.length} archives`);
      }
    }
    return selected;
  }

  get #checksAll(): boolean {
    const { archive, selection: { first, last, glob, prefix } = {} } = this.#options;
    return archive === undefined && !first && !last && !glob && prefix === undefined;
  }

  async #dealWithOrphans(): Promise<void> {
    const state = this.#state;
    if (!this.#checksAll) {
      state.say('info', 'Orphaned objects check skipped (needs all archives checked).');
      return;
    }
    const unused: Uint8Array[] = [];
    let orphaned = 0;
    for (const id of state.chunks.unreferencedIds()) {
      unused.push(id);
      if (!state.superseded.has(id)) orphaned += 1;
    }
    if (orphaned > 0) state.fail(`${orphaned} orphaned objects found!`);
    if (!state.mends || unused.length === 0) return;
    state.log.orphanCount = orphaned;
    state.log.supersededCount = unused.length - orphaned;
    const doing = `${orphaned} orphaned and ${state.superseded.size} superseded objects...`;
    if (state.mode !== 'repair') {
      state.say('info', `Would delete ${doing}`);
      return;
    }
    state.say('info', `Deleting ${doing}`);
    for (const id of unused) await state.remove(id);
    state.say('info', 'Finished deleting orphaned/superseded objects.');
  }

  async #commit(manifest: Manifest): Promise<void> {
    const state = this.#state;
    state.say('info', 'Writing Manifest.');
    await manifest.write();
    state.say('info', 'Committing repo.');
    await state.repository.commit({ compact: false });
  }
}
