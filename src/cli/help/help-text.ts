/** The help that the data of commands and options makes. */
import { briefOf, commandGroups, commandNames, loadCommand } from '../command-table.ts';
import type { CommandSpec } from '../command.ts';
import { commonOptions } from '../options/common.ts';
import type { OptionGroup, OptionSpec, PositionalSpec } from '../options/option.ts';
import { nameProgram, type ProgramName } from '../program-name.ts';
import { topics, findTopic } from './topic-list.ts';
import { definitionList, formatBlocks } from './wrap.ts';

const DEFAULT_COLUMNS = 80;
const MAX_COLUMNS = 100;

/** `usage` leaves out the description and the examples, `epilog` all but these. */
export type HelpPart = 'all' | 'usage' | 'epilog';

export interface HelpOptions {
  readonly program: ProgramName;
  readonly columns?: number | undefined;
  readonly part?: HelpPart;
}

/** Help on a command, a group of commands, a topic, or (empty name) the program; undefined where there is none. */
export async function helpText(name: string, options: HelpOptions): Promise<string | undefined> {
  const columns = Math.min(options.columns ?? DEFAULT_COLUMNS, MAX_COLUMNS);
  const sections = await sectionsOf(name, columns, options.part ?? 'all');
  return sections && nameProgram(`${sections.join('\n\n')}\n`, options.program);
}

async function sectionsOf(name: string, columns: number, part: HelpPart): Promise<string[] | undefined> {
  if (name === '') return programHelp(columns);
  const topic = findTopic(name);
  if (topic !== undefined) return [formatBlocks(topic.text, columns)];
  if (Object.hasOwn(commandGroups, name)) return groupHelp(name, columns);
  const spec = await loadCommand(name);
  return spec && commandHelp(spec, columns, part);
}

/** `usage: …` with its line end. */
export async function usageLine(name: string, program: ProgramName): Promise<string> {
  const spec = await loadCommand(name);
  const usage = spec === undefined ? groupUsage(name) : commandUsage(spec);
  return nameProgram(`usage: ${usage}\n`, program);
}

function commandHelp(spec: CommandSpec, columns: number, part: HelpPart): string[] {
  const description = formatBlocks(spec.description, columns);
  const examples = exampleSection(spec);
  if (part === 'epilog') return [description, ...examples];
  const sections = [`usage: ${commandUsage(spec)}`];
  if (part === 'all') sections.push(description);
  const positionals = spec.positionals.filter(({ help }) => help !== '');
  if (positionals.length > 0) {
    const entries = positionals.map(({ metavar, help }) => [metavar, help] as const);
    sections.push(`Arguments:\n${definitionList(entries, columns)}`);
  }
  for (const group of [...spec.options, commonOptions]) {
    const section = optionSection(group, columns);
    if (section !== undefined) sections.push(section);
  }
  return part === 'all' ? [...sections, ...examples] : sections;
}

function exampleSection({ examples }: CommandSpec): string[] {
  if (examples.length === 0) return [];
  return [`Examples:\n${examples.map(({ command, text }) => `  # ${text}\n  ${command}`).join('\n\n')}`];
}

/** How a command is called, e.g. `alcove rename [options] ARCHIVE NEWNAME`. */
export function commandUsage(spec: CommandSpec): string {
  const required = spec.options
    .flatMap(({ options }) => options)
    .filter((option) => option.required)
    .map((option) => optionTerm(option).split(', ').at(-1)!);
  const parts = ['alcove', spec.name, '[options]', ...required, ...spec.positionals.map(positionalTerm)];
  return parts.join(' ');
}

/** How the commands of a group, or (empty name) of the program, are called. */
export function groupUsage(name: string): string {
  return ['alcove', ...name.split(' ').filter(Boolean), '[options] <command> ...'].join(' ');
}

function positionalTerm({ metavar, arity }: PositionalSpec): string {
  if (arity === 'one') return metavar;
  return arity === 'optional' ? `[${metavar}]` : `[${metavar} ...]`;
}

function optionSection(group: OptionGroup, columns: number): string | undefined {
  const shown = group.options.filter((option) => !option.hidden);
  if (shown.length === 0) return undefined;
  const list = definitionList(
    shown.map((option) => [optionTerm(option), option.help] as const),
    columns,
  );
  const description = group.description === undefined ? '' : `${formatBlocks(group.description, columns)}\n`;
  return `${group.title}:\n${description}${list}`;
}

/** All spellings of an option, and its value. */
export function optionTerm({ flags, metavar, impliedText }: OptionSpec): string {
  const names = flags.join(', ');
  if (metavar === undefined) return names;
  return impliedText === undefined ? `${names} ${metavar}` : `${names} [${metavar}]`;
}

export const PROGRAM_DESCRIPTION =
  'Deduplicating, encrypted backups in the format of Borg 1.4. To start, back up a directory with "backup", see ' +
  'what is there with "list", and bring it back with "extract":';

export const FIRST_STEPS = [
  'alcove backup --repo /path/to/repo ~/Documents',
  'alcove list /path/to/repo',
  'alcove extract /path/to/repo::NAME',
] as const;

/** Groups that take one line in the list of all commands: few need what is in them. */
const foldedGroups: readonly string[] = ['benchmark', 'debug'];

function isFolded(name: string): boolean {
  return foldedGroups.some((group) => name.startsWith(`${group} `));
}

function programHelp(columns: number): string[] {
  const names = commandNames().filter((name) => !isFolded(name));
  const entries = [
    ...names.map((name) => [name, briefOf(name)] as const),
    ...foldedGroups.map((group) => [group, commandGroups[group]!] as const),
  ].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const topicEntries = topics.map(({ name, brief }) => [name, brief] as const);
  return [
    `usage: ${groupUsage('')}`,
    formatBlocks(PROGRAM_DESCRIPTION, columns),
    FIRST_STEPS.map((line) => `  ${line}`).join('\n'),
    `Commands:\n${definitionList(entries, columns)}`,
    `Topics of "alcove help":\n${definitionList(topicEntries, columns)}`,
    optionSection(commonOptions, columns)!,
    '"alcove <command> --help" tells more about a command.',
  ];
}

/** The commands of a group, without its name, and what each does. */
export function groupEntries(group: string): (readonly [string, string])[] {
  return commandNames()
    .filter((name) => name.startsWith(`${group} `))
    .map((name) => [name.slice(group.length + 1), briefOf(name)] as const);
}

function groupHelp(group: string, columns: number): string[] {
  const entries = groupEntries(group);
  return [
    `usage: ${groupUsage(group)}`,
    `Commands that ${commandGroups[group]}.`,
    entries.length === 0
      ? 'None of them is available in this version yet.'
      : `Commands:\n${definitionList(entries, columns)}`,
    optionSection(commonOptions, columns)!,
  ];
}
