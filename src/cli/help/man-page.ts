/** Manual pages in roff (man(7)), made of the same data as the help. */
import { briefOf, commandGroups, commandNames, loadCommand } from '../command-table.ts';
import type { CommandSpec } from '../command.ts';
import { commonOptions } from '../options/common.ts';
import type { OptionGroup } from '../options/option.ts';
import { VERSION } from '../version.ts';
import { readBlocks, type HelpBlock } from './blocks.ts';
import {
  commandUsage,
  FIRST_STEPS,
  groupEntries,
  groupUsage,
  optionTerm,
  PROGRAM_DESCRIPTION,
} from './help-text.ts';
import { bold, escapeRoff, literalLines, macro, textLines } from './roff.ts';
import { topics } from './topic-list.ts';

export interface ManualPage {
  /** E.g. `alcove-key-export.1`. */
  readonly fileName: string;
  readonly text: string;
}

/** All pages: the program's, and one for each command, group of commands and topic. `date` is yyyy-mm-dd. */
export async function manualPages(date: string): Promise<ManualPage[]> {
  const names = commandNames();
  const groups = Object.keys(commandGroups).filter((group) => groupEntries(group).length > 0);
  const page = (name: string, brief: string, body: readonly string[]): ManualPage => {
    const title = pageName(name);
    const heading = [title.toUpperCase(), '1', date, `alcove ${VERSION}`, 'alcove manual'];
    const lines = [
      macro('TH', ...heading),
      // Spaces would stretch beside long words.
      '.ad l',
      macro('SH', 'NAME'),
      ...textLines(`${title} - ${brief}`),
    ];
    return { fileName: `${title}.1`, text: `${[...lines, ...body].join('\n')}\n` };
  };
  return [
    page('', 'deduplicating, encrypting backups', programBody(groups)),
    ...groups.map((group) => page(group, commandGroups[group]!, groupBody(group))),
    ...(await Promise.all(
      names.map(async (name) => page(name, briefOf(name), commandBody((await loadCommand(name))!))),
    )),
    ...topics.map(({ name, brief, text }) => {
      return page(name, brief, [...section('DESCRIPTION', blocks(text, 'SH')), ...seeAlso([''])]);
    }),
  ];
}

/** The name of the page about a command, a group, a topic, or (empty) the program. */
function pageName(name: string): string {
  return ['alcove', ...name.split(' ').filter(Boolean)].join('-');
}

function programBody(groups: readonly string[]): string[] {
  const commands = commandNames().map((name) => [name, briefOf(name)] as const);
  return [
    ...section('SYNOPSIS', [usageLine(groupUsage(''))]),
    ...section('DESCRIPTION', [...blocks(PROGRAM_DESCRIPTION), ...literalLines(FIRST_STEPS)]),
    ...section('COMMANDS', definitions(commands.map(([name, brief]) => [referenceTo(name), brief]))),
    ...section('TOPICS', definitions(topics.map(({ name, brief }) => [referenceTo(name), brief]))),
    ...section('COMMON OPTIONS', optionList(commonOptions)),
    ...seeAlso(groups),
  ];
}

function groupBody(group: string): string[] {
  const entries = groupEntries(group).map(
    ([name, brief]) => [referenceTo(`${group} ${name}`), brief] as const,
  );
  return [
    ...section('SYNOPSIS', [usageLine(groupUsage(group))]),
    ...section('COMMANDS', definitions(entries)),
    ...seeAlso(['']),
  ];
}

function commandBody(spec: CommandSpec): string[] {
  const positionals = spec.positionals.filter(({ help }) => help !== '');
  const groups = spec.options.filter(({ options }) => options.some((option) => !option.hidden));
  const options = groups.flatMap((group) => [
    ...(group.title === 'Options' ? [] : [macro('SS', group.title)]),
    ...(group.description === undefined ? [] : withoutFirstBreak(blocks(group.description))),
    ...optionList(group),
  ]);
  const common = `Options that all commands have are in ${referenceTo('')}.`;
  return [
    ...section('SYNOPSIS', [usageLine(commandUsage(spec))]),
    ...section('DESCRIPTION', blocks(spec.description)),
    ...section(
      'ARGUMENTS',
      definitions(positionals.map(({ metavar, help }) => [`\\fI${escapeRoff(metavar)}\\fR`, help])),
    ),
    ...section('OPTIONS', [...options, '.PP', common]),
    ...section(
      'EXAMPLES',
      spec.examples.flatMap(({ command, text }) => [
        '.PP',
        ...textLines(`${text}:`),
        ...literalLines([command]),
      ]),
    ),
    ...seeAlso(relatedTo(spec)),
  ];
}

/** The program, the commands of the same group, and the topics that the command's text speaks of. */
function relatedTo(spec: CommandSpec): string[] {
  const [group] = spec.name.split(' ');
  const siblings = commandNames().filter((name) => name.startsWith(`${group} `) && name !== spec.name);
  const { description, options } = spec;
  const help = [description, ...options.flatMap((part) => part.options.map((option) => option.help))].join(
    '\n',
  );
  const hasPatterns = options.some((part) => part.options.some(({ metavar }) => metavar === 'PATTERN'));
  const named = topics.filter(({ name }) => {
    return (
      help.includes(`help ${name}`) ||
      (name === 'patterns' && hasPatterns) ||
      (name === 'placeholders' && /\{now\}/.test(help))
    );
  });
  return ['', ...siblings, ...named.map(({ name }) => name)];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [macro('SH', title), ...withoutFirstBreak(lines)];
}

/** A heading brings the space that `.PP` would. */
function withoutFirstBreak(lines: readonly string[]): readonly string[] {
  return lines[0] === '.PP' ? lines.slice(1) : lines;
}

function seeAlso(names: readonly string[]): string[] {
  return names.length === 0 ? [] : section('SEE ALSO', names.map(referenceTo).join(',\n').split('\n'));
}

function referenceTo(name: string): string {
  return `${bold(pageName(name))}(1)`;
}

/** What is typed as it is stands bold, what is filled in italic. */
function usageLine(usage: string): string {
  const words = usage.split(' ').map((word) => {
    return word.replaceAll(/[^[\]<>.]+/g, (part) => {
      if (/[[<]/.test(word))
        return /^[A-Z]/.test(part) || word !== `[${part}]` ? `\\fI${escapeRoff(part)}\\fR` : escapeRoff(part);
      return /^[A-Z]/.test(part) ? `\\fI${escapeRoff(part)}\\fR` : bold(part);
    });
  });
  return words.join(' ');
}

function optionList({ options }: OptionGroup): string[] {
  const shown = options.filter((option) => !option.hidden);
  return definitions(
    shown.map((option) => {
      const [names, value] = [
        option.flags.join(', '),
        optionTerm(option).slice(option.flags.join(', ').length),
      ];
      const term = names.split(', ').map(bold).join(', ');
      return [value === '' ? term : `${term} \\fI${escapeRoff(value.trim())}\\fR`, option.help];
    }),
  );
}

/** Terms are roff already. */
function definitions(entries: readonly (readonly [string, string])[]): string[] {
  return entries.flatMap(([term, meaning]) => [
    '.TP',
    term,
    ...(meaning === '' ? ['\\&'] : textLines(meaning)),
  ]);
}

function blocks(text: string, heading: 'SH' | 'SS' = 'SS'): string[] {
  const lines: string[] = [];
  let previous: HelpBlock | undefined;
  for (const block of readBlocks(text)) {
    const body = blockLines(block, heading);
    lines.push(...(previous?.kind === 'heading' ? withoutFirstBreak(body) : body));
    previous = block;
  }
  return lines;
}

function blockLines(block: HelpBlock, heading: string): string[] {
  switch (block.kind) {
    case 'heading':
      return [macro(heading, heading === 'SH' ? block.text.toUpperCase() : block.text)];
    case 'paragraph':
      return ['.PP', ...textLines(block.text)];
    case 'definitions':
      return definitions(block.entries.map(([term, meaning]) => [bold(term), meaning]));
    case 'literal':
      return literalLines(block.lines);
  }
}
