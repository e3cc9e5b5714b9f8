/** The help that the data of commands and options makes. */
import { briefOf, commandGroups, commandNames, isUnavailable, loadCommand } from '../command-table.ts';
import type { CommandSpec } from '../command.ts';
import { commonOptions } from '../options/common.ts';
import type { OptionGroup, OptionSpec, PositionalSpec } from '../options/option.ts';
import { definitionList, wrapParagraphs } from './wrap.ts';

const DEFAULT_COLUMNS = 80;
const MAX_COLUMNS = 100;

/** Help on a command, a group of commands, or (empty name) the program. */
export async function helpText(name: string, columns: number = DEFAULT_COLUMNS): Promise<string> {
  const width = Math.min(columns, MAX_COLUMNS);
  if (name === '') return programHelp(width);
  if (Object.hasOwn(commandGroups, name)) return groupHelp(name, width);
  return commandHelp(await loadCommand(name)!, width);
}

/** `usage: …` with its line end. */
export async function usageLine(name: string): Promise<string> {
  if (isUnavailable(name)) return '';
  const spec = await loadCommand(name);
  return `usage: ${spec === undefined ? ['alcove', ...name.split(' ').filter(Boolean), '[options] <command> ...'].join(' ') : usage(spec)}\n`;
}

export function commandHelp(spec: CommandSpec, columns: number): string {
  const sections = [`usage: ${usage(spec)}`, wrapParagraphs(spec.description, columns)];
  const positionals = spec.positionals.filter(({ help }) => help !== '');
  if (positionals.length > 0) {
    const entries = positionals.map(({ metavar, help }) => [metavar, help] as const);
    sections.push(`Arguments:\n${definitionList(entries, columns)}`);
  }
  for (const group of [...spec.options, commonOptions]) {
    const section = optionSection(group, columns);
    if (section !== undefined) sections.push(section);
  }
  if (spec.examples.length > 0) {
    const examples = spec.examples.map(({ command, text }) => `  # ${text}\n  ${command}`);
    sections.push(`Examples:\n${examples.join('\n\n')}`);
  }
  return `${sections.join('\n\n')}\n`;
}

function usage(spec: CommandSpec): string {
  const required = spec.options
    .flatMap(({ options }) => options)
    .filter((option) => option.required)
    .map((option) => optionTerm(option).split(', ').at(-1)!);
  const parts = ['alcove', spec.name, '[options]', ...required, ...spec.positionals.map(positionalTerm)];
  return parts.join(' ');
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
  const description =
    group.description === undefined ? '' : `${wrapParagraphs(group.description, columns)}\n`;
  return `${group.title}:\n${description}${list}`;
}

function optionTerm({ flags, metavar, impliedText }: OptionSpec): string {
  const names = flags.join(', ');
  if (metavar === undefined) return names;
  return impliedText === undefined ? `${names} ${metavar}` : `${names} [${metavar}]`;
}

async function programHelp(columns: number): Promise<string> {
  const entries = commandNames().map((name) => [name, briefOf(name)] as const);
  const { topics } = await import('./topics.ts');
  const sections = [
    'usage: alcove [options] <command> ...',
    wrapParagraphs(
      'Deduplicating, encrypted backups in the format of Borg 1.4. To start, back up a directory with "backup", see ' +
        'what is there with "list", and bring it back with "extract":',
      columns,
    ),
    '  alcove backup --repo /path/to/repo ~/Documents\n' +
      '  alcove list /path/to/repo\n' +
      '  alcove extract /path/to/repo::NAME',
    `Commands:\n${definitionList(entries, columns)}`,
    `Topics of "alcove help":\n${definitionList(
      Object.entries(topics).map(([name, topic]) => [name, topic.brief] as const),
      columns,
    )}`,
    optionSection(commonOptions, columns)!,
    '"alcove <command> --help" tells more about a command.',
  ];
  return `${sections.join('\n\n')}\n`;
}

function groupHelp(group: string, columns: number): string {
  const entries = commandNames()
    .filter((name) => name.startsWith(`${group} `))
    .map((name) => [name.slice(group.length + 1), briefOf(name)] as const);
  const sections = [
    `usage: alcove ${group} [options] <command> ...`,
    `Commands that ${commandGroups[group]}.`,
    entries.length === 0
      ? 'None of them is available in this version yet.'
      : `Commands:\n${definitionList(entries, columns)}`,
    optionSection(commonOptions, columns)!,
  ];
  return `${sections.join('\n\n')}\n`;
}
