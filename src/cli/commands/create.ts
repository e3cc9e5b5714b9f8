import type { SourceArgs } from './create-args.ts';
import { defineCommand } from '../command.ts';
import { openerFor } from '../remote-options.ts';
import { createInSession, dryRun, type StreamArgs } from '../create-archive.ts';
import { openSession } from '../../archive/session.ts';
import { archiveOptions, fileSystemOptions, reportOptions } from '../options/create-options.ts';
import { exclusionOptions, mergePatternRules, tagFileOptions } from '../options/exclusion.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, parseLocation, pathsOf, type LocationArgs } from '../options/positionals.ts';
import { threadsOption } from '../options/threads.ts';
import { parseOctal } from '../options/values.ts';
import type { StatisticsArgs } from '../output/created-archive.ts';

interface CreateArgs extends SourceArgs, StreamArgs, StatisticsArgs, LocationArgs {
  readonly noCacheSync: boolean;
}

export const create = defineCommand<CreateArgs>({
  name: 'create',
  description: `
Makes an archive of all PATHs and what is below them. Only data that the repository does not have yet is stored.

The archive has the paths as they are given, without a slash in front. In a PATH such as /some/./place the part before
"/./" is left out of the archive. The PATH "-" stands for the standard input.

--list prints a letter and a path for each file; --filter says which letters.

 A  a new file                 d  directory
 M  a changed file             s  symbolic link
 U  an unchanged file          h  another name of a stored file
 C  changed while it was read  f  named pipe, b, c  device
 E  could not be read          i  the standard input
 x  left out                   -  not stored because of --dry-run`,
  positionals: [
    locationOf('ARCHIVE', 'REPOSITORY::NAME, the archive to make', { archive: 'required' }),
    pathsOf('files and directories', 'files'),
  ],
  options: [
    optionGroup(
      'Options',
      flag(['-n', '--dry-run'], 'dryRun', 'only look what would be done'),
      ...reportOptions,
      flag('--no-cache-sync', 'noCacheSync', 'do not bring the cache up to date, and do not use it'),
      {
        flags: ['--stdin-name'],
        dest: 'stdinName',
        metavar: 'NAME',
        fallback: 'stdin',
        help: 'call the standard input NAME in the archive (default: stdin)',
      },
      {
        flags: ['--stdin-user'],
        dest: 'stdinUser',
        metavar: 'USER',
        help: 'the owner of the standard input in the archive (default: root)',
      },
      {
        flags: ['--stdin-group'],
        dest: 'stdinGroup',
        metavar: 'GROUP',
        help: 'the group of the standard input in the archive (default: root)',
      },
      {
        flags: ['--stdin-mode'],
        dest: 'stdinMode',
        metavar: 'M',
        parse: parseOctal,
        fallback: 0o660,
        help: 'the mode of the standard input in the archive (default: 0660)',
      },
      flag('--content-from-command', 'contentFromCommand', 'run PATH as a command and store what it prints'),
      flag(
        '--paths-from-stdin',
        'pathsFromStdin',
        'read the paths from the standard input; nothing below them is taken',
      ),
      flag('--paths-from-command', 'pathsFromCommand', 'run PATH as a command that prints the paths'),
      {
        flags: ['--paths-delimiter'],
        dest: 'pathsDelimiter',
        metavar: 'DELIM',
        help: 'what stands between such paths (default: \\n)',
      },
      threadsOption,
    ),
    optionGroup(
      'Include and exclude options',
      ...exclusionOptions,
      ...tagFileOptions,
      flag('--exclude-nodump', 'excludeNodump', 'leave out files with the flag nodump'),
      flag(
        '--exclude-dataless',
        'excludeDataless',
        'leave out files whose contents are in a cloud (macOS only)',
      ),
    ),
    fileSystemOptions,
    archiveOptions,
  ],
  examples: [
    { command: 'alcove create /path/to/repo::monday ~/Documents', text: 'one directory' },
    {
      command: "alcove create --stats --exclude '*.o' /path/to/repo::{now} ~/src",
      text: 'named by the time, without some files',
    },
    {
      command: 'pg_dump db | alcove create --stdin-name db.sql /path/to/repo::{now} -',
      text: 'what another program prints',
    },
  ],

  check({ paths, patterns, pathsFromStdin, pathsFromCommand, contentFromCommand, stats, quickStats }) {
    const roots = mergePatternRules(patterns).roots;
    if (pathsFromStdin && paths.length + roots.length > 0)
      return 'Must not pass PATH with --paths-from-stdin.';
    if (paths.length + roots.length === 0) {
      if (contentFromCommand || pathsFromCommand) return 'No command given.';
      if (!pathsFromStdin) return 'Need at least one PATH argument.';
    }
    return stats && quickStats ? '--stats and --quick-stats are mutually exclusive.' : undefined;
  },

  async run(ctx, args) {
    const { location, timestampNs } = args;
    // With --timestamp, {now} in the archive's name is that time.
    const named =
      timestampNs === undefined
        ? location
        : await parseLocation(location.raw, ctx.io, { archive: 'required' }, timestampNs);
    ctx.reporter.log('info', `Creating archive at "${named.processed}"`);
    if (args.dryRun) {
      await dryRun(ctx, args);
      return;
    }
    await using session = await openSession(ctx, named, {
      operations: ['write'],
      exclusive: true,
      lockWaitSeconds: args.lockWait,
      compression: args.compression,
      open: openerFor(ctx, args),
    });
    await createInSession(ctx, session, named.archive!, args);
  },
});
