/** What may stand in the place of the word at the cursor, by the data of commands and options. */
import { briefOf, choicesOf, commandGroups } from '../command-table.ts';
import type { CommandSpec } from '../command.ts';
import { topics } from '../help/topic-list.ts';
import { isDeprecated } from '../options/deprecations.ts';
import type { Completes, OptionSpec, PositionalSpec } from '../options/option.ts';
import { takesValue } from '../options/tokens.ts';
import { readLine, type CompletionLine } from './line.ts';

export interface Candidate {
  readonly word: string;
  readonly description?: string;
}

export interface Completions {
  /** The part of the word in front of what is completed, as it was typed, e.g. `REPO::` or `--format=`. */
  readonly prefix: string;
  readonly candidates: readonly Candidate[];
  /** What the shell knows better than we do. */
  readonly also?: 'files' | 'directories' | 'commands';
  /** More follows the candidate, so no space after it. */
  readonly open?: boolean;
}

/** The names of a repository's archives, without asking anybody; empty where it can't tell. */
export type ArchiveNames = (repository: string) => Promise<readonly string[]>;

/** `words` are those behind the program's name, up to the one at the cursor, which may be empty. */
export async function complete(words: readonly string[], archiveNames: ArchiveNames): Promise<Completions> {
  const line = await readLine(words);
  const { current, command, spec } = line;
  if (line.pending !== undefined) return completeValue(line.pending, current, '', line, archiveNames);
  if (!line.endOfOptions && current.startsWith('-')) return completeOption(line, archiveNames);
  if (spec === undefined) return { prefix: '', candidates: commandCandidates(command) };
  const positional = positionalAt(spec, line.operands.length);
  if (positional === undefined) return { prefix: '', candidates: [] };
  return completeValue(positional, current, '', line, archiveNames);
}

function commandCandidates(group: string): Candidate[] {
  return choicesOf(group).map((choice) => {
    const name = group === '' ? choice : `${group} ${choice}`;
    const isGroup = Object.hasOwn(commandGroups, name);
    return { word: choice, description: isGroup ? commandGroups[name]! : briefOf(name) };
  });
}

async function completeOption(line: CompletionLine, archiveNames: ArchiveNames): Promise<Completions> {
  const { current, options, given } = line;
  const equals = current.indexOf('=');
  if (equals > 0) {
    const option = options.find(({ flags }) => flags.includes(current.slice(0, equals)));
    if (option === undefined || !takesValue(option)) return { prefix: '', candidates: [] };
    const prefix = current.slice(0, equals + 1);
    return completeValue(option, current.slice(equals + 1), prefix, line, archiveNames);
  }
  const candidates = options
    .filter(({ hidden, flags }) => !hidden && !flags.some(isDeprecated))
    .filter((option) => mayComeAgain(option) || !given.has(option))
    .flatMap(({ flags, help }) => {
      const shown = current === '-' ? flags : flags.filter((flag) => flag.startsWith('--'));
      return shown.map((word) => ({ word, description: help }));
    });
  return { prefix: '', candidates };
}

function mayComeAgain({ action }: OptionSpec): boolean {
  return action === 'append' || action === 'extend' || action === 'count';
}

function positionalAt({ positionals }: CommandSpec, index: number): PositionalSpec | undefined {
  const at = positionals[index];
  if (at !== undefined) return at;
  const last = positionals.at(-1);
  return last?.arity === 'many' || last?.arity === 'rest' ? last : undefined;
}

type Completed = Pick<OptionSpec, 'completes' | 'choices' | 'metavar'>;

function completesOf({ completes, choices, metavar = '' }: Completed): Completes {
  if (completes !== undefined) return completes;
  if (choices !== undefined) return { words: choices };
  if (/^(?:DIR|DIRECTORY|MOUNTPOINT)$/.test(metavar)) return 'directories';
  return /^PATH$|FILE$/.test(metavar) ? 'files' : 'nothing';
}

async function completeValue(
  completed: Completed,
  text: string,
  prefix: string,
  line: CompletionLine,
  archiveNames: ArchiveNames,
): Promise<Completions> {
  const completes = completesOf(completed);
  if (typeof completes === 'object') return completeWord(completes, text, prefix);
  switch (completes) {
    case 'files':
    case 'directories':
    case 'commands':
      return { prefix, candidates: [], also: completes };
    case 'repository':
      return { prefix, candidates: [], also: 'directories', open: true };
    case 'location': {
      const colons = text.indexOf('::');
      if (colons < 0) return { prefix, candidates: [], also: 'directories', open: true };
      const names = await archiveNames(text.slice(0, colons));
      return { prefix: prefix + text.slice(0, colons + 2), candidates: wordsOf(names) };
    }
    case 'archives': {
      const repository = line.operands[0]?.split('::', 1)[0];
      return { prefix, candidates: wordsOf(repository === undefined ? [] : await archiveNames(repository)) };
    }
    case 'topics': {
      const about = topics.map(({ name, brief }) => ({ word: name, description: brief }));
      return { prefix, candidates: [...commandCandidates(line.operands.join(' ')), ...about] };
    }
    case 'nothing':
      return { prefix, candidates: [] };
  }
}

function completeWord(
  { words, list = false }: { words: readonly string[]; list?: boolean },
  text: string,
  prefix: string,
): Completions {
  const comma = list ? text.lastIndexOf(',') + 1 : 0;
  const before = text.slice(0, comma).split(',');
  const left = words.filter((word) => !before.includes(word));
  return { prefix: prefix + text.slice(0, comma), candidates: wordsOf(left), open: list };
}

function wordsOf(words: readonly string[]): Candidate[] {
  return words.map((word) => ({ word }));
}
