/**
 * Makes an archive.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver.do_create.
 */
import { DEFAULT_CHUNKER_PARAMS, type ChunkerParams } from '../../chunker/chunker-params.ts';
import { GeneralError } from '../../errors.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import { createPipeline } from '../../pipeline/pipeline.ts';
import { archiveOrigin } from './archive-origin.ts';
import { ArchiveWriter, type SavedArchive } from './archive-writer.ts';
import { BackupRun, Interrupted } from './backup-run.ts';
import { type BackupSelection, takeIn } from './backup-source.ts';
import type { ChunksCache } from '../cache/chunks-cache.ts';
import type { FilesCacheMode } from '../cache/files-cache.ts';
import { MetadataCollector } from './metadata-collector.ts';
import { ObjectProcessor, type ObjectProcessorOptions } from './object-processor.ts';
import type { Session } from '../session.ts';
import type { Statistics } from '../statistics.ts';

export interface CreateArchiveOptions extends BackupSelection, Omit<ObjectProcessorOptions, 'cwd' | 'nowNs'> {
  readonly name: string;
  /** The command line, for the archive's metadata. */
  readonly cmdline: readonly string[];
  readonly comment?: string | undefined;
  readonly timestampNs?: bigint | undefined;
  readonly chunkerParams?: ChunkerParams | undefined;
  readonly filesCacheMode: FilesCacheMode;
  readonly checkpointIntervalSeconds: number;
  readonly permitAdHocCache: boolean;
  readonly progress: boolean;
  /** Threads that read, compress and encrypt. Default: one a processor, at most four. */
  readonly threads?: number | undefined;
  /** Runs when the archive is there and the cache still open, for statistics. */
  readonly onCreated?: (archive: CreatedArchive, cache: ChunksCache) => Promise<void>;
}

export interface CreatedArchive extends SavedArchive {
  readonly name: string;
  readonly statistics: Statistics;
}

/**
 * Backs up into a new archive. Files that can't be read are warnings.
 *
 * @throws ArchiveAlreadyExists; CommandError where a command fails; GeneralError after an interruption, when what was
 *   read is in a checkpoint
 */
export async function createArchive(
  session: Session,
  options: CreateArchiveOptions,
): Promise<CreatedArchive> {
  const { ctx } = session;
  const startNs = ctx.nowNs();
  const { permitAdHocCache: permitAdHoc, filesCacheMode } = options;
  await using cache = await session.openCache({ permitAdHoc, filesCacheMode });
  const chunkerParams = options.chunkerParams ?? DEFAULT_CHUNKER_PARAMS;
  const writer = new ArchiveWriter(ctx, session, cache, {
    name: options.name,
    chunkerParams,
    cmdline: options.cmdline,
    ...archiveOrigin(ctx),
    startNs,
  });
  await cache.begin();
  const pipeline = createPipeline({
    threads: options.threads ?? defaultThreadCount(),
    material: session.key.material,
    compression: session.compression,
    chunkerParams,
    chunkSeed: session.key.chunkSeed,
    leaseNonces: (blocks) => session.key.leaseNonces(blocks),
  });
  const run = new BackupRun(ctx, cache, writer, pipeline, options);
  const collector = new MetadataCollector(options, ctx.reporter);
  // Disposed of only after the run has stopped: until then its steps may use the descriptors.
  using processor = new ObjectProcessor(run, session.key, collector, {
    ...options,
    cwd: ctx.cwd,
    nowNs: () => ctx.nowNs(),
  });
  try {
    await takeIn(session, run, processor, options);
    await run.finish();
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await run.stopWithCheckpoint();
    throw new GeneralError(['Got Ctrl-C / SIGINT.'], error);
  } finally {
    await run.stop();
  }
  if (options.progress) ctx.reporter.archiveProgressEnd();
  const { comment, timestampNs } = options;
  const saved = await writer.save({ comment, timestampNs });
  const created = { ...saved, name: options.name, statistics: writer.statistics };
  await options.onCreated?.(created, cache);
  return created;
}
