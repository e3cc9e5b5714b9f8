/** From parsed arguments to a new archive: what `create` and `backup` share. */
import {
  dryRun as dryRunSelection,
  type BackupSelection,
  type BackupSource,
} from '../archive/create/backup-source.ts';
import { createArchive, type CreateArchiveOptions, type CreatedArchive } from '../archive/create/create.ts';
import { PatternMatcher } from '../archive/patterns/pattern-matcher.ts';
import type { Session } from '../archive/session.ts';
import type { StreamOptions } from '../archive/create/stream-file.ts';
import { CommandError } from '../errors.ts';
import { gidToName, uidToName } from '../platform/users.ts';
import { fromUtf8 } from '../util/bytes.ts';
import {
  decodeSurrogateEscaped,
  encodeSurrogateEscaped,
  removeSurrogates,
} from '../util/surrogate-escape.ts';
import type { SourceArgs } from './commands/create-args.ts';
import type { CliContext } from './context.ts';
import { mergePatternRules } from './options/exclusion.ts';
import { evaluateEscapes } from './options/values.ts';
import { reportCreated, type StatisticsArgs } from './output/created-archive.ts';

/** What is special about a source. */
export interface StreamArgs {
  readonly stdinName: string;
  readonly stdinUser: string | undefined;
  readonly stdinGroup: string | undefined;
  readonly stdinMode: number;
  readonly contentFromCommand: boolean;
  readonly pathsFromStdin: boolean;
  readonly pathsFromCommand: boolean;
  readonly pathsDelimiter: string | undefined;
}

type AllArgs = SourceArgs & StreamArgs;

export async function dryRun(ctx: CliContext, args: AllArgs): Promise<void> {
  await dryRunSelection(ctx, selectionOf(args));
}

/** Makes the archive, and prints what the arguments ask for. */
export async function createInSession(
  ctx: CliContext,
  session: Session,
  name: string,
  args: AllArgs & StatisticsArgs & { readonly noCacheSync: boolean },
): Promise<CreatedArchive> {
  if (!name.isWellFormed()) throw new CommandError(['the name of an archive has to be UTF-8']);
  // Borg's check cannot write back an archive whose command line is not UTF-8.
  const commandLine = ctx.io.commandLine.map(removeSurrogates);
  const options: CreateArchiveOptions = {
    ...selectionOf(args),
    name,
    cmdline: commandLine,
    comment: removeSurrogates(args.comment),
    timestampNs: args.timestampNs,
    chunkerParams: args.chunkerParams,
    filesCacheMode: args.filesCacheMode,
    verifyPercent: args.filesCacheVerify ?? 0,
    filesChanged: args.filesChanged,
    checkpointIntervalSeconds: args.checkpointInterval,
    permitAdHocCache: args.noCacheSync,
    progress: ctx.progress,
    readSpecial: args.readSpecial,
    sparse: args.sparse,
    threads: args.threads,
    atime: args.atime,
    noCtime: args.noctime,
    noBirthtime: args.nobirthtime,
    numericIds: args.numericIds,
    noFlags: args.noFlags,
    noAcls: args.noAcls,
    noXattrs: args.noXattrs,
    onCreated: (archive, cache) => reportCreated(ctx, session, cache, archive, args),
  };
  return createArchive(session, options);
}

function selectionOf(args: AllArgs): BackupSelection {
  const { rules, roots } = mergePatternRules(args.patterns);
  return {
    source: sourceOf(args, [...roots, ...args.paths]),
    matcher: PatternMatcher.build(rules),
    oneFileSystem: args.oneFileSystem,
    excludeCaches: args.excludeCaches,
    excludeIfPresent: args.excludeIfPresent.map(encodeSurrogateEscaped),
    keepExcludeTags: args.keepExcludeTags,
    excludeNodump: args.excludeNodump,
    stream: streamOf(args),
  };
}

const STDIN_FD = 0;

function sourceOf(args: StreamArgs, paths: readonly string[]): BackupSource {
  const delimiter = encodeSurrogateEscaped(evaluateEscapes(args.pathsDelimiter ?? '\n'));
  if (args.contentFromCommand) return { kind: 'content-command', argv: paths };
  if (args.pathsFromCommand) return { kind: 'path-command', argv: paths, delimiter };
  if (args.pathsFromStdin) return { kind: 'path-list', fd: STDIN_FD, delimiter };
  return { kind: 'paths', paths: paths.map(encodeSurrogateEscaped) };
}

function streamOf(args: StreamArgs): StreamOptions {
  return {
    path: encodeSurrogateEscaped(args.stdinName),
    mode: args.stdinMode,
    user: args.stdinUser ?? nameOrRoot(uidToName(0)),
    group: args.stdinGroup ?? nameOrRoot(gidToName(0)),
  };
}

function nameOrRoot(name: Uint8Array | undefined): string {
  return decodeSurrogateEscaped(name ?? fromUtf8('root'));
}
