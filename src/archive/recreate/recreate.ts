/**
 * Makes archives again: without some of their files, with another compression, cut in another way, or with another
 * comment or time. The old archive goes only after the new one is committed.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveRecreater; archiver.py, do_recreate.
 */
import { type ChunkerParams, DEFAULT_CHUNKER_PARAMS } from '../../chunker/chunker-params.ts';
import { CommandError, GeneralError } from '../../errors.ts';
import type { ArchiveMetadata } from '../../format/archive-metadata.ts';
import { Archive } from '../archive.ts';
import { selectArchives } from '../archive-selection.ts';
import type { ChunksCache } from '../cache/chunks-cache.ts';
import { archiveOrigin } from '../create/archive-origin.ts';
import { ArchiveWriter } from '../create/archive-writer.ts';
import { Interrupted } from '../create/backup-run.ts';
import type { CreatedArchive } from '../create/create.ts';
import { deleteArchive } from '../delete-archive.ts';
import { normalizeChunkerParams } from '../listing/archive-info.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';
import { renameInTransaction } from '../rename.ts';
import type { Session } from '../session.ts';
import { Statistics } from '../statistics.ts';
import { ArchiveRecreation, type RecreationOptions } from './archive-recreation.ts';
import { ChunkRewriter, type RecompressMode } from './chunk-rewriter.ts';
import { Rechunker } from './rechunker.ts';
import { type TaggedDirectoryOptions, taggedDirectoryRules } from './tagged-directories.ts';

export interface RecreateOptions extends RecreationOptions, TaggedDirectoryOptions {
  /** What to take over. */
  readonly matcher: PatternMatcher;
  /** Which chunks get the session's compression. */
  readonly recompress: RecompressMode;
  /** Cut archives anew that were cut in another way. */
  readonly chunkerParams?: ChunkerParams | undefined;
  /** Default: the archive's own. */
  readonly comment?: string | undefined;
  readonly timestampNs?: bigint | undefined;
  /** The command line, for the archive's metadata, where it stands beside the one that first made it. */
  readonly cmdline: readonly string[];
  /** Runs when an archive is done and the cache still open, for statistics. */
  readonly onRecreated?: ((archive: CreatedArchive, cache: ChunksCache) => Promise<void>) | undefined;
}

export interface RecreateAllOptions extends RecreateOptions {
  /** Runs before each archive. */
  readonly onArchive?: ((name: string) => void) | undefined;
  /** Runs for an archive for which there was nothing to do. */
  readonly onSkipped?: ((name: string) => void) | undefined;
}

const SUFFIX = '.recreate';

/**
 * Recreates one archive, in its place or, with `target`, under another name beside it. Says whether there was
 * anything to do.
 *
 * @throws CommandError for what an interrupted recreate left; ArchiveDoesNotExist; ArchiveAlreadyExists; GeneralError
 *   after an interruption, when what was done is in a checkpoint; what a damaged archive throws
 */
export async function recreateArchive(
  session: Session,
  name: string,
  options: RecreateOptions & { readonly target?: string | undefined },
): Promise<boolean> {
  await using cache = await session.openCache();
  if (isTemporary(name)) {
    throw new CommandError([`Refusing to work on temporary archive of prior recreate: ${name}`]);
  }
  const run = new Run(session, cache, options);
  const done = await run.recreate(name, options.target);
  await run.commit();
  return done;
}

/** Recreates all archives in their places, the oldest first. Throws as recreateArchive. */
export async function recreateArchives(session: Session, options: RecreateAllOptions): Promise<void> {
  await using cache = await session.openCache();
  const run = new Run(session, cache, options);
  for (const { name } of selectArchives(session.manifest.archives, { sortBy: ['ts'] })) {
    if (isTemporary(name)) continue;
    options.onArchive?.(name);
    if (!(await run.recreate(name))) options.onSkipped?.(name);
  }
  await run.commit();
}

/** Whether the name is one that an archive has only until it takes the old one's place. */
function isTemporary(name: string): boolean {
  return name.endsWith(SUFFIX);
}

class Run {
  readonly #session: Session;
  readonly #cache: ChunksCache;
  readonly #options: RecreateOptions;
  readonly #rewriter: ChunkRewriter;
  /** Old archives have been taken away since the last commit. */
  #uncommitted = false;

  constructor(session: Session, cache: ChunksCache, options: RecreateOptions) {
    this.#session = session;
    this.#cache = cache;
    this.#options = options;
    this.#rewriter = new ChunkRewriter(session, cache, options.recompress);
  }

  /** Says whether there was anything to do. What replaces an archive is committed, that it does is not yet. */
  async recreate(name: string, target?: string): Promise<boolean> {
    const session = this.#session;
    const options = this.#options;
    const archive = await Archive.open(session, name);
    const rechunkTo = this.#rechunkTo(archive);
    const startNs = session.ctx.nowNs();
    const writer = this.#createWriter(archive, target ?? `${name}${SUFFIX}`);
    const matcher = await this.#matcherFor(archive);
    if (
      matcher.empty &&
      options.recompress === 'never' &&
      rechunkTo === undefined &&
      options.comment === undefined &&
      target === undefined
    ) {
      return false;
    }
    await this.#process(archive, writer, matcher, rechunkTo);
    if (options.dryRun) return true;
    let { id } = await writer.save({
      comment: options.comment ?? archive.comment,
      timestampNs: options.timestampNs,
      metadata: this.#metadataFrom(archive.metadata),
    });
    this.#uncommitted = false;
    if (target === undefined) id = await this.#replace(name, writer.name);
    const endNs = session.ctx.nowNs();
    const created = { name: target ?? name, id, startNs, endNs, statistics: writer.statistics };
    await options.onRecreated?.(created, this.#cache);
    return true;
  }

  /** Commits that new archives have taken the places of the old ones. */
  async commit(): Promise<void> {
    if (!this.#uncommitted) return;
    await this.#session.manifest.write();
    await this.#session.repository.commit({ compact: false });
    await this.#cache.commit();
    this.#uncommitted = false;
  }

  async #process(
    archive: Archive,
    writer: ArchiveWriter,
    matcher: PatternMatcher,
    rechunkTo: ChunkerParams | undefined,
  ): Promise<void> {
    const { ctx, key } = this.#session;
    const rewrites = rechunkTo !== undefined || this.#options.recompress !== 'never';
    const parts = {
      archive,
      writer,
      cache: this.#cache,
      matcher,
      rewriter: rewrites ? this.#rewriter : undefined,
      rechunker: rechunkTo === undefined ? undefined : new Rechunker(rechunkTo, key.chunkSeed),
    };
    try {
      await new ArchiveRecreation(ctx, parts, this.#options).run();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      await this.commit();
      throw new GeneralError(['Got Ctrl-C / SIGINT.'], error);
    }
  }

  async #replace(name: string, newName: string): Promise<Uint8Array> {
    this.#uncommitted = true;
    await deleteArchive(this.#session, this.#cache, name, new Statistics());
    return renameInTransaction(this.#session, this.#cache, newName, name);
  }

  /** How to cut the archive's files anew; undefined where they may stay as they are. */
  #rechunkTo({ metadata }: Archive): ChunkerParams | undefined {
    const { chunkerParams } = this.#options;
    const same = chunkerParams?.join() === normalizeChunkerParams(metadata.chunkerParams).join();
    return same ? undefined : chunkerParams;
  }

  #createWriter(archive: Archive, name: string): ArchiveWriter {
    const { ctx } = this.#session;
    return new ArchiveWriter(ctx, this.#session, this.#cache, {
      name,
      chunkerParams: this.#options.chunkerParams ?? DEFAULT_CHUNKER_PARAMS,
      cmdline: archive.metadata.cmdline,
      ...archiveOrigin(ctx),
    });
  }

  /** Tags of one archive say nothing about the directories of another. */
  async #matcherFor(archive: Archive): Promise<PatternMatcher> {
    const { matcher, excludeCaches, excludeIfPresent } = this.#options;
    if (!excludeCaches && excludeIfPresent.length === 0) return matcher;
    const rules = await taggedDirectoryRules(archive, matcher, this.#options);
    const extended = matcher.copy();
    extended.addRules(rules);
    return extended;
  }

  #metadataFrom(old: ArchiveMetadata): Partial<ArchiveMetadata> {
    const { chunkerParams, timestampNs, cmdline } = this.#options;
    return {
      recreateCmdline: [...cmdline],
      ...(timestampNs === undefined ? { time: old.time, timeEnd: old.timeEnd || old.time } : {}),
      // Files that are not cut anew are still as they were cut once.
      ...(chunkerParams === undefined && old.chunkerParams !== undefined
        ? { chunkerParams: [...normalizeChunkerParams(old.chunkerParams)] }
        : {}),
    };
  }
}
