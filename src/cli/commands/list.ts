import { Archive } from '../../archive/archive.ts';
import { openArchives } from '../../archive/archives-ahead.ts';
import {
  ArchiveFormatter,
  DEFAULT_ARCHIVE_FORMAT,
  SHORT_ARCHIVE_FORMAT,
} from '../../archive/listing/archive-formatter.ts';
import { selectArchives } from '../../archive/archive-selection.ts';
import {
  DEFAULT_ITEM_FORMAT,
  ItemFormatter,
  SHORT_ITEM_FORMAT,
} from '../../archive/listing/item-formatter.ts';
import { basicJsonData } from '../../archive/listing/repository-info.ts';
import { CommandError } from '../../errors.ts';
import type { JsonValue } from '../../util/json-text.ts';
import { encodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import type { Session } from '../../archive/session.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { archiveFilters, selectionOf, type ArchiveFilterArgs } from '../options/archive-filters.ts';
import type { CommonArgs } from '../options/common.ts';
import { buildMatcher, exclusionOptions, type ExclusionArgs } from '../options/exclusion.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, pathsOf, type LocationArgs } from '../options/positionals.ts';
import { archiveLine, nameColumns } from '../output/archive-line.ts';
import { printJson } from '../output/print-json.ts';
import { openSessionAt } from '../open-session.ts';

interface ListArgs extends CommonArgs, ArchiveFilterArgs, ExclusionArgs, LocationArgs {
  readonly considerCheckpoints: boolean;
  readonly short: boolean;
  readonly format: string | undefined;
  readonly json: boolean;
  readonly jsonLines: boolean;
  readonly paths: readonly string[];
}

export const list = defineCommand<ListArgs>({
  name: 'list',
  description: `
Lists the archives of a repository, or the files of an archive.

--format takes a text in which names in braces stand for properties, e.g. "{path}{NL}"; {size:8} and {user:<6} set a
width. Always there are NL, NEWLINE, LF, CR, TAB, SPACE and NUL.

For archives:

${ArchiveFormatter.keysHelp()}

For files:

${ItemFormatter.keysHelp()}`,
  positionals: [
    locationOf('REPOSITORY_OR_ARCHIVE', 'the repository or archive', { optional: true }),
    pathsOf('paths to list; patterns are possible'),
  ],
  options: [
    optionGroup(
      'Options',
      flag('--consider-checkpoints', 'considerCheckpoints', 'list checkpoints of unfinished archives, too'),
      flag('--short', 'short', 'print only names'),
      { flags: ['--format'], dest: 'format', metavar: 'FORMAT', help: 'print lines by FORMAT' },
      flag('--json', 'json', 'print JSON (of archives); keys of --format are added'),
      flag('--json-lines', 'jsonLines', 'print a line of JSON for each file; keys of --format are added'),
    ),
    archiveFilters,
    optionGroup('Include and exclude options', ...exclusionOptions),
  ],
  examples: [
    { command: 'alcove list /path/to/repo', text: 'all archives' },
    {
      command: 'alcove list /path/to/repo::monday home/anna',
      text: 'what the archive has below a directory',
    },
    { command: "alcove list --format '{size:8} {path}{NL}' /path/to/repo::monday", text: 'sizes and paths' },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    if (args.location.archive === undefined && args.jsonLines) {
      throw new CommandError([
        'The --json-lines option is only valid for listing archive contents, not archives.',
      ]);
    }
    if (args.location.archive !== undefined && args.json) {
      throw new CommandError(['The --json option is only valid for listing archives, not archive contents.']);
    }
    await using session = await openSessionAt(ctx, args, { operations: ['read'] });
    if (args.location.archive === undefined) await listArchives(ctx, args, session);
    else await listItems(ctx, args, session, args.location.archive);
  },
});

async function listArchives(ctx: CliContext, args: ListArgs, session: Session): Promise<void> {
  const format = args.format ?? (args.short ? SHORT_ARCHIVE_FORMAT : DEFAULT_ARCHIVE_FORMAT);
  const archives: JsonValue[] = [];
  const { considerCheckpoints } = args;
  const selection = { ...selectionOf(args), considerCheckpoints };
  const selectedArchives = [...selectArchives(session.manifest.archives, selection)];
  const names = selectedArchives.map(({ name }) => name);
  const opened = openArchives(session, names);
  const formatter = new ArchiveFormatter(format, async () => (await opened.next()).value!);
  const columns = format === DEFAULT_ARCHIVE_FORMAT ? nameColumns(names, ctx.io.stdout) : undefined;
  for (const selected of selectedArchives) {
    ctx.signal.throwIfAborted();
    if (args.json) archives.push(await formatter.toJson(selected));
    else if (columns !== undefined) ctx.print(`${archiveLine(selected, columns)}\n`);
    else ctx.print(encodeSurrogateEscaped(await formatter.formatArchive(selected)));
  }
  if (args.json) printJson(ctx, { ...basicJsonData(session.manifest), archives });
}

async function listItems(ctx: CliContext, args: ListArgs, session: Session, name: string): Promise<void> {
  const format = args.format ?? (args.short ? SHORT_ITEM_FORMAT : DEFAULT_ITEM_FORMAT);
  const matcher = buildMatcher(args);
  await using cache = ItemFormatter.needsCache(format) ? await session.openCache() : undefined;
  const archive = await Archive.open(session, name, { considerPartFiles: args.considerPartFiles });
  const formatter = new ItemFormatter(
    {
      name: archive.name,
      idHex: archive.idHex,
      contents: (chunks) => archive.contents(chunks),
      ...(cache === undefined ? {} : { refcount: (id: Uint8Array) => cache.refcount(id) }),
    },
    format,
  );
  for await (const batch of archive.itemBatches()) {
    for (const item of batch) {
      ctx.signal.throwIfAborted();
      if (!matcher.match(item.path)) continue;
      const formatted = args.jsonLines ? formatter.formatJson(item) : formatter.formatItem(item);
      const line = typeof formatted === 'string' ? formatted : await formatted;
      ctx.print(line.isWellFormed() ? line : encodeSurrogateEscaped(line));
    }
  }
}
