/**
 * Where the files of a backup come from: paths and what is below them, a list of paths, or a stream.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver.do_create.
 */
import { CommandError, GeneralError } from '../../errors.ts';
import { lstat, stat } from '../../platform/file-stat.ts';
import { getCacheDir } from '../../platform/home.ts';
import { closeFile } from '../../platform/open-file.ts';
import { describeOsError, isOsError } from '../../platform/os-error.ts';
import { spawnReader } from '../../platform/process.ts';
import { fromUtf8, toUtf8Lossy } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { BackupError, backupIo } from '../backup-error.ts';
import type { BackupRun } from './backup-run.ts';
import { type FoundObject, Inspector } from './inspector.ts';
import type { ObjectProcessor } from './object-processor.ts';
import { joinPath, normalizePath, slashdotPrefix } from './path-bytes.ts';
import { readPathList } from './path-list.ts';
import type { Session } from '../session.ts';
import { addStream, type StreamOptions } from './stream-file.ts';
import type { WalkThread } from './walk-thread.ts';
import { type Matcher, TreeWalk, type WalkVisitor } from './tree-walk.ts';

export type BackupSource =
  /** These paths and what is below them; `-` is the standard input. */
  | { readonly kind: 'paths'; readonly paths: readonly Uint8Array[] }
  /** Paths that are read from a descriptor, without what is below them. */
  | { readonly kind: 'path-list'; readonly fd: number; readonly delimiter: Uint8Array }
  /** The same from a command's output. */
  | { readonly kind: 'path-command'; readonly argv: readonly string[]; readonly delimiter: Uint8Array }
  /** What a command prints, as one file. */
  | { readonly kind: 'content-command'; readonly argv: readonly string[] };

export interface BackupSelection {
  readonly source: BackupSource;
  /** Not asked about the paths of a list. */
  readonly matcher: Matcher;
  readonly oneFileSystem: boolean;
  readonly excludeCaches: boolean;
  readonly excludeIfPresent: readonly Uint8Array[];
  readonly keepExcludeTags: boolean;
  readonly excludeNodump: boolean;
  /** What the standard input, or a command's output, is called, and whose it is. */
  readonly stream: StreamOptions;
  /** Default 0. */
  readonly stdinFd?: number | undefined;
}

/** All that a dry run has opened are directories, to list them. */
const DRY = {
  readSpecial: false,
  noFlags: true,
  noXattrs: true,
  noAcls: true,
  numericIds: true,
  attributesAhead: false,
};
const STDIN_FD = 0;
const DASH = 0x2d;

/** Who takes part in a backup. */
export interface BackupParts {
  readonly inspector: Inspector;
  readonly processor: ObjectProcessor;
  /** Goes on with the walk where the tree is large. */
  readonly walkThread?: WalkThread | undefined;
}

/** Hands all that is selected to the processor. */
export async function takeIn(
  session: Session,
  run: BackupRun,
  { inspector, processor, walkThread }: BackupParts,
  selection: BackupSelection,
): Promise<void> {
  const { ctx } = session;
  const { source, stream } = selection;
  if (source.kind === 'content-command') {
    const failed = (error: BackupError) => {
      throw new GeneralError([`'${toUtf8Lossy(stream.path)}': ${error.message}`], error);
    };
    return withOutput(ctx, source.argv, async (fd) => {
      addStream(ctx, run, fd, stream, failed);
      await run.drain();
    });
  }
  if (source.kind !== 'paths') {
    return withPathList(ctx, source, async (paths) => {
      await run.drive(listed(ctx, paths, processor));
      // What was listed is shown even where the command turns out to have failed.
      await run.drain();
    });
  }
  const walk = new TreeWalk({ ...selection, cwd: fromUtf8(ctx.cwd) }, inspector, processor);
  skipOwnFolders(session, walk);
  for (const path of source.paths) {
    if (isDash(path)) {
      addStream(ctx, run, selection.stdinFd ?? STDIN_FD, stream);
      await run.drain();
    } else {
      processor.stripPrefix = slashdotPrefix(path);
      const steps = walkRoot(ctx, walk, path, selection, processor);
      await run.drive(walkThread?.begin(walk, steps) ?? steps);
      if (walkThread !== undefined) await run.drive(walkThread.goOn(processor));
    }
  }
}

/** Reports what takeIn would take; nothing is read but directories. */
export async function dryRun(ctx: Context, selection: BackupSelection): Promise<void> {
  const { reporter } = ctx;
  const { source, stream } = selection;
  const status = (letter: string, path: Uint8Array): void => reporter.fileStatus(letter, path);
  const failed = (path: Uint8Array, error: BackupError): void => reporter.warn(error.toWarning(path));
  const any = ({ path }: FoundObject): void => status('-', path);
  if (source.kind === 'content-command') return reporter.fileStatus('-', stream.path);
  if (source.kind !== 'paths') {
    return withPathList(ctx, source, async (paths) => {
      for await (const _ of listed(ctx, paths, { any, status, failed })) ctx.signal.throwIfAborted();
    });
  }
  const cwd = fromUtf8(ctx.cwd);
  const visitor: WalkVisitor = { directory() {}, directoryEnd() {}, object() {}, status, failed };
  const walk = new TreeWalk({ ...selection, cwd }, new Inspector({ ...DRY, cwd }), visitor, true);
  for (const path of source.paths) {
    if (isDash(path)) reporter.fileStatus('-', stream.path);
    else for (const _ of walkRoot(ctx, walk, path, selection, visitor)) ctx.signal.throwIfAborted();
  }
}

function* walkRoot(
  ctx: Context,
  walk: TreeWalk,
  given: Uint8Array,
  selection: BackupSelection,
  visitor: WalkVisitor,
): Generator<void> {
  const path = normalizePath(given);
  try {
    const root = backupIo('stat', () => lstat(joinPath(fromUtf8(ctx.cwd), path)), path);
    yield* walk.walk(path, selection.oneFileSystem ? root.dev : undefined);
    // Never again, even if the path is given twice.
    walk.skip(root);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    visitor.failed(path, error);
  }
}

/** The folders that change while we work, and of which a backup is of no use in themselves. */
function skipOwnFolders({ ctx, location }: Session, walk: TreeWalk): void {
  const folders = [getCacheDir(ctx.env)];
  if (location.proto === 'file') folders.push(location.absolute(ctx.cwd).path);
  for (const folder of folders) {
    try {
      walk.skip(stat(folder));
    } catch (error) {
      if (!isOsError(error)) throw error;
    }
  }
}

async function* listed(
  ctx: Context,
  paths: AsyncIterable<Uint8Array>,
  visitor: Pick<WalkVisitor, 'status' | 'failed'> &
    Pick<ObjectProcessor, 'any'> & { stripPrefix?: ObjectProcessor['stripPrefix'] },
): AsyncGenerator<void> {
  for await (const given of paths) {
    const path = normalizePath(given);
    try {
      const found: FoundObject = {
        path,
        at: undefined,
        stat: backupIo('stat', () => lstat(joinPath(fromUtf8(ctx.cwd), path)), path),
      };
      visitor.stripPrefix = slashdotPrefix(given);
      visitor.any(found);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      visitor.failed(path, error);
      visitor.status('E', path);
    }
    yield;
  }
}

async function withPathList(
  ctx: Context,
  source: Exclude<BackupSource, { kind: 'paths' | 'content-command' }>,
  use: (paths: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const { delimiter } = source;
  if (source.kind === 'path-list') return use(readPathList(source.fd, delimiter, ctx.signal));
  await withOutput(ctx, source.argv, (fd) => use(readPathList(fd, delimiter, ctx.signal)));
}

/** Runs a command; throws CommandError where it can't be started, or fails. */
async function withOutput(
  ctx: Context,
  argv: readonly string[],
  use: (fd: number) => Promise<void>,
): Promise<void> {
  const command = start(ctx, argv);
  let ended = false;
  try {
    await use(command.fd);
    const exitCode = await command.wait();
    ended = true;
    if (exitCode !== 0) throw new CommandError([`Command '${argv[0]}' exited with status ${exitCode}`]);
  } finally {
    closeFile(command.fd);
    if (!ended) command.kill();
  }
}

function start(ctx: Context, argv: readonly string[]): ReturnType<typeof spawnReader> {
  try {
    return spawnReader(argv, { env: ctx.env, stdin: 'inherit', ignoreInterrupt: true });
  } catch (error) {
    if (!isOsError(error, 'ENOENT', 'EACCES')) throw error;
    throw new CommandError([`Failed to execute command: ${describeOsError(error)}`], error);
  }
}

function isDash(path: Uint8Array): boolean {
  return path.length === 1 && path[0] === DASH;
}
