/**
 * Makes an archive.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver.do_create.
 */
import { DEFAULT_CHUNKER_PARAMS, type ChunkerParams } from '../../chunker/chunker-params.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import { createPipeline } from '../../pipeline/pipeline.ts';
import { archiveOrigin } from './archive-origin.ts';
import { ArchiveWriter, type SavedArchive } from './archive-writer.ts';
import { BackupRun } from './backup-run.ts';
import { type BackupSelection, type BackupSource, takeIn } from './backup-source.ts';
import type { ChunksCache } from '../cache/chunks-cache.ts';
import type { FilesCacheMode } from '../cache/files-cache.ts';
import { cacheDirectory } from '../cache/local-cache.ts';
import { VerifyRotation } from '../cache/verify-rotation.ts';
import { FileVerification, type VerificationCounts } from './file-verification.ts';
import { MetadataCollector } from './metadata-collector.ts';
import { ObjectProcessor, type ObjectProcessorOptions } from './object-processor.ts';
import { Inspector } from './inspector.ts';
import { joinPath } from './path-bytes.ts';
import { PathKeys } from './path-keys.ts';
import { WalkThread } from './walk-thread.ts';
import { PatternMatcher } from '../patterns/pattern-matcher.ts';
import type { Session } from '../session.ts';
import type { Statistics } from '../statistics.ts';
import { concatBytes, fromUtf8 } from '../../util/bytes.ts';

type ProcessorOptions = Omit<ObjectProcessorOptions, 'nowNs' | 'pathKeys' | 'verification'>;

/** Entries from which a tree gets a thread that walks: its start takes as much as some thousand unchanged ones. */
const LARGE_TREE = 2000;
/** The same where nothing is known: all will be read, and what reads it is starting, too. */
const LARGE_UNKNOWN_TREE = 300;
/** What the files cache takes of so many small files. */
const LARGE_FILES_CACHE_BYTES = LARGE_TREE * 80;

export interface CreateArchiveOptions extends BackupSelection, ProcessorOptions {
  readonly name: string;
  /** Back up the content of devices and fifos, not the things themselves. */
  readonly readSpecial: boolean;
  /** The command line, for the archive's metadata. */
  readonly cmdline: readonly string[];
  readonly comment?: string | undefined;
  readonly timestampNs?: bigint | undefined;
  readonly chunkerParams?: ChunkerParams | undefined;
  readonly filesCacheMode: FilesCacheMode;
  /** How many of the files that the files cache knows unchanged are read nevertheless, 0 to 100. Default 0. */
  readonly verifyPercent?: number | undefined;
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
  /** There where files were to be verified. */
  readonly verification?: VerificationCounts | undefined;
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
  // It starts while the caches are loaded.
  await using walkThread = walkThreadOf(session, options);
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
  const inspector = new Inspector({
    ...options,
    cwd: fromUtf8(ctx.cwd),
    attributesAhead: false,
  });
  const collector = new MetadataCollector(options, ctx.reporter);
  const verification = verificationOf(session, cache, options);
  // Disposed of only after the run has stopped: until then its steps may use the descriptors.
  using processor = new ObjectProcessor(run, inspector, collector, {
    ...options,
    nowNs: () => ctx.nowNs(),
    pathKeys: new PathKeys(session.key.material, fromUtf8(ctx.cwd)),
    verification,
  });
  await run.complete(() => takeIn(session, run, { inspector, processor, walkThread }, options));
  walkThread?.end();
  if (options.progress) ctx.reporter.archiveProgressEnd();
  const { comment, timestampNs } = options;
  const saved = await writer.save({ comment, timestampNs });
  verification?.advance();
  const { statistics } = writer;
  const created = { ...saved, name: options.name, statistics, verification: verification?.counts };
  await options.onCreated?.(created, cache);
  return created;
}

/** Undefined where one thread is to do all, or a matcher was given that no other thread can use. */
function walkThreadOf(session: Session, options: CreateArchiveOptions): WalkThread | undefined {
  const { ctx } = session;
  const { matcher, threads = defaultThreadCount() } = options;
  if (threads === 1 || !(matcher instanceof PatternMatcher)) return undefined;
  const { excludeCaches, excludeIfPresent, keepExcludeTags, excludeNodump } = options;
  const { readSpecial, noFlags, noXattrs, noAcls, numericIds } = options;
  const cwd = fromUtf8(ctx.cwd);
  const knownBytes = knownFilesBytes(session, options);
  const thread = new WalkThread({
    walk: { cwd, excludeCaches, excludeIfPresent, keepExcludeTags, excludeNodump },
    matcher,
    // The attributes of files that are read are read with them; many that are known will not be read.
    inspection: {
      cwd,
      readSpecial,
      noFlags,
      noXattrs,
      noAcls,
      numericIds,
      attributesAhead: knownBytes > 0,
    },
    afterSteps: knownBytes > 0 ? LARGE_TREE : LARGE_UNKNOWN_TREE,
    signal: ctx.signal,
  });
  if (options.source.kind === 'paths' && knownBytes >= LARGE_FILES_CACHE_BYTES) thread.start();
  return thread;
}

/** How much is known of files, by the size of the files cache, where it will be used for sure. */
function knownFilesBytes({ ctx, repository }: Session, options: CreateArchiveOptions): number {
  if (options.permitAdHocCache || options.filesCacheMode.includes('d')) return 0;
  return cacheDirectory(ctx, repository.idHex).filesCacheBytes;
}

/** Undefined where nothing is to be verified: also without a files cache, when all files are read anyway. */
function verificationOf(
  session: Session,
  cache: ChunksCache,
  { verifyPercent = 0, source }: CreateArchiveOptions,
): FileVerification | undefined {
  if (verifyPercent === 0 || cache.kind !== 'local' || cache.files === undefined) return undefined;
  const { ctx, key, repository } = session;
  const directory = cacheDirectory(ctx, repository.idHex);
  const series = key.idHash(seriesText(source, fromUtf8(ctx.cwd)));
  return new FileVerification(session, new VerifyRotation(directory, series, verifyPercent, ctx.reporter));
}

/** What tells one job from another. */
function seriesText(source: BackupSource, cwd: Uint8Array): Uint8Array {
  const words: string[] = [source.kind];
  if ('argv' in source) words.push(...source.argv);
  const paths = source.kind === 'paths' ? source.paths.map((path) => joinPath(cwd, path)) : [];
  return concatBytes([...words.map(fromUtf8), ...paths].flatMap((word) => [word, new Uint8Array(1)]));
}
