import { initRepository } from '../../archive/init-repository.ts';
import { openSession, Session } from '../../archive/session.ts';
import { CommandError, NoPassphraseFailure, RepositoryDoesNotExist } from '../../errors.ts';
import type { Location } from '../../format/location.ts';
import { keyArgNames } from '../../keys/key-type.ts';
import { isRepository } from '../../repository/is-repository.ts';
import { quoteShellWord } from '../../util/shell-quote.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { creatorFor, openerFor } from '../remote-options.ts';
import { createInSession, dryRun } from '../create-archive.ts';
import { archiveOptions, fileSystemOptions, outputFilterOption } from '../options/create-options.ts';
import { exclusionOptions, mergePatternRules, tagFileOptions } from '../options/exclusion.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { fillPlaceholders } from '../options/placeholder-values.ts';
import { parseArchiveName, parseLocation, pathsOf } from '../options/positionals.ts';
import { threadsOption } from '../options/threads.ts';
import { backupProgressLine } from '../output/backup-progress.ts';
import { backupSummary } from '../output/backup-summary.ts';
import type { SourceArgs } from './create-args.ts';

interface BackupArgs extends SourceArgs {
  readonly repo: Location | undefined;
  readonly name: string | undefined;
  readonly encryption: string;
}

const NEWCOMER_NAME = '{hostname}-{now}';

const INTERRUPTED = 'Interrupted. Nothing is broken: run the same command again to go on.';

/** What `create` has besides, at its defaults. */
const createDefaults = {
  stats: false,
  quickStats: false,
  noCacheSync: false,
  stdinName: 'stdin',
  stdinUser: undefined,
  stdinGroup: undefined,
  stdinMode: 0o660,
  contentFromCommand: false,
  pathsFromStdin: false,
  pathsFromCommand: false,
  pathsDelimiter: undefined,
} as const;

export const backup = defineCommand<BackupArgs>({
  name: 'backup',
  description: `
Backs up all SOURCEs, files or directories, into a repository, and makes the repository if there is none yet. Only data
that the repository does not have is stored, so do it often.

The repository is encrypted. Its passphrase comes from BORG_PASSPHRASE, BORG_PASSCOMMAND or BORG_PASSPHRASE_FD, or you
are asked for it. Nobody can restore anything without it.

"alcove create" does the same with more choices, and says nothing unless asked.`,
  positionals: [{ ...pathsOf('what to back up', 'files'), metavar: 'SOURCE' }],
  options: [
    optionGroup(
      'Options',
      {
        flags: ['-r', '--repo'],
        dest: 'repo',
        metavar: 'REPOSITORY',
        completes: 'repository',
        parse: (text, context) => parseLocation(text, context, { archive: 'none' }),
        help: 'the directory to keep it in (default: BORG_REPO)',
      },
      {
        flags: ['--name'],
        dest: 'name',
        metavar: 'NAME',
        parse: parseArchiveName,
        help: `how to call the archive (default: ${NEWCOMER_NAME})`,
      },
      {
        flags: ['--encryption'],
        dest: 'encryption',
        metavar: 'MODE',
        choices: keyArgNames(),
        fallback: 'repokey',
        help: 'how a new repository is protected, see "init" (default: repokey)',
      },
      flag(['-n', '--dry-run'], 'dryRun', 'only look what would be done'),
      flag('--list', 'outputList', 'print a line for each file'),
      { ...outputFilterOption, help: 'print only files of these letters, see "create"' },
      flag('--json', 'json', 'print the result as JSON'),
      threadsOption,
    ),
    optionGroup(
      'Include and exclude options',
      ...exclusionOptions,
      ...tagFileOptions,
      flag('--exclude-nodump', 'excludeNodump', 'leave out files with the flag nodump'),
    ),
    fileSystemOptions,
    archiveOptions,
  ],
  examples: [
    { command: 'alcove backup --repo /mnt/disk/backups ~/Documents ~/Pictures', text: 'two directories' },
    {
      command: "alcove backup --exclude '*/.cache' ~",
      text: 'everything of yours, into the repository that BORG_REPO names',
    },
  ],
  progressOnTerminal: true,
  progressLine: backupProgressLine,

  check: ({ paths, patterns }) =>
    paths.length + mergePatternRules(patterns).roots.length === 0 ? 'Need at least one SOURCE.' : undefined,

  async run(ctx, args) {
    const location = await repositoryOf(ctx, args);
    if (args.dryRun) {
      await dryRun(ctx, { ...createDefaults, ...args });
      return;
    }
    await assertSomethingThere(ctx, args.paths);
    await using session =
      (await openExisting(ctx, args, location)) ?? (await makeRepository(ctx, args, location));
    const name = freeName(session, args.name ?? (await fillPlaceholders(NEWCOMER_NAME, ctx.io)));
    const startMs = performance.now();
    const { statistics } = await createInSession(ctx, session, name, { ...createDefaults, ...args }).catch(
      (error: unknown) => {
        if (ctx.signal.aborted) ctx.reporter.tell(INTERRUPTED);
        throw error;
      },
    );
    if (args.json || args.logJson) return;
    ctx.print(
      backupSummary({
        program: ctx.io.program,
        repository: session.repository.location,
        archive: name,
        counts: statistics.toCounts(),
        durationSeconds: (performance.now() - startMs) / 1000,
        warnings: ctx.reporter.warnings.length,
        iec: args.iec,
      }),
    );
  },
});

async function repositoryOf(ctx: CliContext, args: BackupArgs): Promise<Location> {
  if (args.repo !== undefined) return args.repo.absolute(ctx.cwd);
  if (ctx.env['BORG_REPO'] === undefined) {
    throw new CommandError(['no repository is named: use --repo PATH, or set BORG_REPO']);
  }
  const location = await parseLocation('', ctx.io, { archive: 'none' });
  return location.absolute(ctx.cwd);
}

/** Undefined where there is no repository yet. */
async function openExisting(
  ctx: CliContext,
  args: BackupArgs,
  location: Location,
): Promise<Session | undefined> {
  const { lockWait: lockWaitSeconds, compression } = args;
  if (location.proto === 'file' && !isRepository(location.path)) return undefined;
  try {
    return await openSession(ctx, location, {
      operations: ['write'],
      exclusive: true,
      lockWaitSeconds,
      compression,
      open: openerFor(ctx, args),
    });
  } catch (error) {
    if (location.proto !== 'file' && error instanceof RepositoryDoesNotExist) return undefined;
    throw error;
  }
}

/** A mistyped path must not end in an archive of nothing. */
async function assertSomethingThere(ctx: CliContext, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (path === '-' || (await ctx.io.modifiedNs(path)) !== undefined) return;
  }
  if (paths.length > 0) throw new CommandError([`nothing to back up: ${paths.join(', ')} does not exist`]);
}

async function makeRepository(ctx: CliContext, args: BackupArgs, location: Location): Promise<Session> {
  const { encryption, compression, lockWait: lockWaitSeconds } = args;
  const needsPassphrase = encryption !== 'none' && ctx.env['BORG_NEW_PASSPHRASE'] === undefined;
  if (needsPassphrase && !hasPassphraseSetting(ctx) && !ctx.io.hasTerminal()) {
    throw new NoPassphraseFailure(['a new repository needs one, and there is no terminal to ask at']);
  }
  if (needsPassphrase && !hasPassphraseSetting(ctx)) {
    ctx.reporter.tell(`${shownPlace(location)} is no repository yet. Choose a passphrase for the new one.`);
  }
  const created = await initRepository(ctx, location, {
    encryption,
    // A third question is for those who start with "init".
    offerDisplay: false,
    makeParentDirs: true,
    lockWaitSeconds,
    create: creatorFor(ctx, args),
  });
  const { repository, manifest, key } = created;
  const where = key.type.storage === 'keyfile' ? `in ${key.target}` : 'in the repository';
  const copy = `${ctx.io.program} key export ${quoteShellWord(location.canonicalPath())} ~/alcove-key-backup`;
  ctx.reporter.tell(`Made a new repository in ${shownPlace(location)}.`);
  if (key.type.storage !== 'none') {
    ctx.reporter.tell(
      `Its key is ${where}; it takes key and passphrase to restore anything.\n` +
        `Write the passphrase down, and keep a copy of the key elsewhere:\n  ${copy}\n`,
    );
  }
  return new Session(ctx, { location, repository, manifest, compression, lockWaitSeconds });
}

function shownPlace(location: Location): string {
  return location.proto === 'file' ? location.path : location.canonicalPath();
}

function hasPassphraseSetting({ env }: CliContext): boolean {
  return ['BORG_PASSPHRASE', 'BORG_PASSCOMMAND', 'BORG_PASSPHRASE_FD'].some(
    (name) => env[name] !== undefined,
  );
}

/** The name, or the name with the first number that makes it new. */
function freeName({ manifest }: Session, name: string): string {
  let free = name;
  for (let number = 2; manifest.archives.has(free); number++) free = `${name}-${number}`;
  return free;
}
