import { checkRepository, type CheckOptions } from '../../archive/check/check.ts';
import { CancelledByUser, CommandError, GeneralError } from '../../errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { EXIT_WARNING } from '../exit-code.ts';
import { openRepositoryAt } from '../open-repository.ts';
import { archiveFilters, selectionOf, type ArchiveFilterArgs } from '../options/archive-filters.ts';
import { badRangesBySegment, badRangesOption, type SegmentBadRanges } from '../options/bad-ranges.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';
import { threadsOption, type ThreadsArgs } from '../options/threads.ts';
import { parseInteger } from '../options/values.ts';
import { checkJson } from '../output/check-json.ts';
import { checkReportLines } from '../output/check-report.ts';
import { printJson } from '../output/print-json.ts';
import { quarantineLines } from '../output/quarantine-lines.ts';

interface CheckArgs extends CommonArgs, LocationArgs, ArchiveFilterArgs, ThreadsArgs {
  readonly repositoryOnly: boolean;
  readonly archivesOnly: boolean;
  readonly verifyData: boolean;
  readonly checksums: boolean;
  readonly repair: boolean;
  readonly dryRun: boolean;
  readonly saveSpace: boolean;
  readonly maxDuration: number;
  readonly json: boolean;
  readonly badRanges: readonly SegmentBadRanges[];
  readonly listQuarantine: boolean;
  readonly dropQuarantine: boolean;
}

export const check = defineCommand<CheckArgs>({
  name: 'check',
  description: `
Looks whether a repository and its archives are whole. Nothing is changed without --repair. -v tells what is being done.

First the repository's own files: checksums of everything in them, and the index. No key is needed for that; on a large
repository, --max-duration does a part each time. Then the archives: whether they are there and authentic, and whether
everything that their files consist of is there. --verify-data also reads, decrypts and verifies all data, which takes
time, and finds every change, also one made on purpose.

--checksums compares what is there with checksums that clients made before they sent it, as alcove does with a server that is
alcove: they find changes that the repository's own, shorter ones miss, and the key is not needed. What has no checksum, as
anything that was written by Borg, or without a server, is counted.

Where something is damaged or missing, the files and archives that need it are listed, so that you know what is lost; with
--json in full.

--repair makes the repository usable again, without what is lost: look with --repair --dry-run first, which says what would
be done and changes nothing. What a file has lost is replaced by zeros, and remembered: a later backup of the same data,
then "check --repair", brings it back. Archives that can't be read, or are not authentic, are taken out of the list. If you
can, copy the repository before, and find out why it was damaged.

Files of the repository that a repair replaces are kept in its folder "quarantine": --list-quarantine shows them,
--drop-quarantine removes them for good. Of a disk with bad sectors, everything around them is kept. If you copied a
segment file with GNU ddrescue, name its mapfile with --bad-ranges, since the copy has zeros where nothing could be read.`,
  positionals: [locationOf('REPOSITORY_OR_ARCHIVE', 'the repository, or an archive', { optional: true })],
  options: [
    optionGroup(
      'Options',
      flag('--repository-only', 'repositoryOnly', "check only the repository's files"),
      flag('--archives-only', 'archivesOnly', 'check only the archives'),
      flag('--verify-data', 'verifyData', 'read and verify all data, too'),
      {
        ...flag('--checksums', 'checksums', 'compare objects with the checksums made before they were sent'),
        beyondBorg: true,
      },
      flag('--repair', 'repair', 'mend what is damaged'),
      {
        ...flag(['-n', '--dry-run'], 'dryRun', 'with --repair: only say what would be done'),
        beyondBorg: true,
      },
      flag('--save-space', 'saveSpace', 'with --repair: do without what needs more space'),
      {
        flags: ['--max-duration'],
        dest: 'maxDuration',
        metavar: 'SECONDS',
        parse: parseInteger,
        fallback: 0,
        help: 'check for SECONDS, and go on from there the next time (with --repository-only)',
      },
      badRangesOption,
      {
        ...flag('--list-quarantine', 'listQuarantine', 'check nothing; list what repairs have put aside'),
        beyondBorg: true,
      },
      {
        ...flag('--drop-quarantine', 'dropQuarantine', 'check nothing; remove what repairs have put aside'),
        beyondBorg: true,
      },
      { ...flag('--json', 'json', 'print what was found as JSON'), beyondBorg: true },
      threadsOption,
    ),
    archiveFilters,
  ],
  examples: [
    { command: 'alcove check -v --progress /path/to/repo', text: 'check all but the contents of files' },
    { command: 'alcove check --verify-data /path/to/repo', text: 'check everything' },
    {
      command: 'alcove check --repository-only --checksums /path/to/repo',
      text: 'on a server, without the key: is all as it was sent?',
    },
    { command: 'alcove check --repair --dry-run /path/to/repo', text: 'see what a repair would do' },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    await using repository = await openRepositoryAt(ctx, args, { exclusive: true });
    if (args.listQuarantine || args.dropQuarantine) return showQuarantine(ctx, repository, args);
    const changes = args.repair && !args.dryRun;
    if (changes && !(await isConfirmed(ctx))) throw new CancelledByUser();
    refuseContradictions(args);
    if (args.repair && !args.archivesOnly && repository.appendOnly) {
      throw new GeneralError([`${repository.location} is in append-only mode, which a repair can't keep to`]);
    }
    const result = await checkRepository(ctx, repository, optionsOf(args));
    if (args.json) printJson(ctx, checkJson(repository, args, result));
    else {
      const lines = checkReportLines(result, {
        mode: changes ? 'repair' : args.repair ? 'plan' : 'check',
        iec: args.iec,
      });
      if (lines.length > 0) ctx.print(`${lines.join('\n')}\n`);
    }
    return result.ok ? undefined : EXIT_WARNING;
  },
});

function showQuarantine(ctx: CliContext, repository: Repository, args: CheckArgs): undefined {
  if (repository.listQuarantine === undefined) {
    throw new GeneralError(['a server does not say what repairs have put aside: ask on its own machine']);
  }
  const list = args.dropQuarantine ? repository.dropQuarantine?.() : repository.listQuarantine?.();
  const lines = quarantineLines(list ?? [], args.iec);
  if (lines.length > 0) ctx.print(`${lines.join('\n')}\n`);
}

function isConfirmed(ctx: CliContext): Promise<boolean> {
  return ctx.reporter.ask({
    text:
      'A repair changes the repository, and gives up what it cannot mend. Copy the repository first if you can,\n' +
      'and see what would be done with --dry-run.\n' +
      '\n' +
      "Type 'YES' if you understand this and want to continue: ",
    env: 'BORG_CHECK_I_KNOW_WHAT_I_AM_DOING',
    falseText: 'Aborting.',
    invalidText: 'Invalid answer, aborting.',
    truish: ['YES'],
    retry: false,
  });
}

function refuseContradictions(args: CheckArgs): void {
  const { repositoryOnly, repair, dryRun, maxDuration, verifyData, first, last, prefix, globArchives } = args;
  const { archivesOnly, checksums } = args;
  if (repositoryOnly && (verifyData || first > 0 || last > 0 || prefix !== undefined || globArchives)) {
    throw new CommandError([
      '--repository-only contradicts --first, --last, --glob-archives, --prefix and --verify-data arguments.',
    ]);
  }
  if (repair && maxDuration !== 0) {
    throw new CommandError(['--repair does not allow --max-duration argument.']);
  }
  if (maxDuration !== 0 && !repositoryOnly) {
    throw new CommandError(['--repository-only is required for --max-duration support.']);
  }
  if (checksums && archivesOnly) {
    throw new CommandError([
      "--archives-only contradicts --checksums, which is about the repository's own files.",
    ]);
  }
  if (checksums && repair) {
    throw new CommandError([
      '--repair does not allow --checksums, which only finds changes: --repair --verify-data mends them, with the key.',
    ]);
  }
  if (dryRun && !repair)
    throw new CommandError(['--dry-run needs --repair: without it, nothing is changed.']);
  if (repair && !dryRun && !args.lock) throw new CommandError(['--repair does not allow --bypass-lock.']);
}

function optionsOf(args: CheckArgs): CheckOptions {
  return {
    parts: partsOf(args),
    repair: args.repair,
    dryRun: args.dryRun,
    verifyData: args.verifyData,
    checksums: args.checksums,
    saveSpace: args.saveSpace,
    threads: args.threads,
    maxDurationSeconds: args.maxDuration,
    badRanges: badRangesBySegment(args.badRanges),
    archive: args.location.archive,
    selection: selectionOf(args),
  };
}

/** Both options together: nothing is left to be checked, as in Borg. */
function partsOf({ repositoryOnly, archivesOnly }: CheckArgs): CheckOptions['parts'] {
  if (repositoryOnly) return archivesOnly ? 'none' : 'repository';
  return archivesOnly ? 'archives' : 'both';
}
