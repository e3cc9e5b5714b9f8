/** Include and exclude options. Source: Borg 1.4.5 archiver.py, define_exclude_and_patterns. */
import {
  addExcludeFile,
  addPatternFile,
  addPatternOption,
  parseExcludePattern,
  type PatternRules,
} from '../../archive/patterns/pattern-command.ts';
import { PatternError } from '../../archive/patterns/pattern.ts';
import { PatternMatcher } from '../../archive/patterns/pattern-matcher.ts';
import { CommandError, GeneralError } from '../../errors.ts';
import { flag } from './flag.ts';
import { InvalidValue, type OptionSpec, type ParseContext, type ParseValue } from './option.ts';
import { parseInteger } from './values.ts';

export interface ExclusionArgs {
  /** What each option said, in order. */
  readonly patterns: readonly PatternRules[];
}

/** All rules and roots in the order in which options and files gave them. */
export function mergePatternRules(patterns: readonly PatternRules[]): PatternRules {
  return {
    rules: patterns.flatMap(({ rules }) => rules),
    roots: patterns.flatMap(({ roots }) => roots),
  };
}

/** What the patterns and the PATH arguments select. */
export function buildMatcher(args: ExclusionArgs & { readonly paths: readonly string[] }): PatternMatcher {
  try {
    return PatternMatcher.build(mergePatternRules(args.patterns).rules, args.paths);
  } catch (error) {
    if (error instanceof PatternError) throw new CommandError([error.message], error);
    throw error;
  }
}

export const exclusionOptions: readonly OptionSpec[] = [
  {
    flags: ['-e', '--exclude'],
    dest: 'patterns',
    metavar: 'PATTERN',
    action: 'append',
    fallback: [],
    parse: parseExclude,
    help: 'leave out what matches PATTERN',
  },
  {
    flags: ['--exclude-from'],
    dest: 'patterns',
    metavar: 'EXCLUDEFILE',
    takesAnything: true,
    action: 'append',
    parse: collectFile(addExcludeFile),
    help: 'read exclude patterns from EXCLUDEFILE, one a line',
  },
  {
    flags: ['--pattern'],
    dest: 'patterns',
    metavar: 'PATTERN',
    takesAnything: true,
    action: 'append',
    parse: collect(addPatternOption),
    help: 'include or exclude what matches PATTERN',
  },
  {
    flags: ['--patterns-from'],
    dest: 'patterns',
    metavar: 'PATTERNFILE',
    takesAnything: true,
    action: 'append',
    parse: collectFile(addPatternFile),
    help: 'read include and exclude patterns from PATTERNFILE, one a line',
  },
];

export const tagFileOptions: readonly OptionSpec[] = [
  flag('--exclude-caches', 'excludeCaches', 'leave out directories that a CACHEDIR.TAG file marks as caches'),
  {
    flags: ['--exclude-if-present'],
    dest: 'excludeIfPresent',
    metavar: 'NAME',
    action: 'append',
    fallback: [],
    help: 'leave out directories that contain something called NAME',
  },
  flag(
    '--keep-exclude-tags',
    'keepExcludeTags',
    'keep what marked a directory as left out, and nothing else of it',
  ),
];

export const stripComponentsOption: OptionSpec = {
  flags: ['--strip-components'],
  dest: 'stripComponents',
  metavar: 'NUMBER',
  parse: parseInteger,
  fallback: 0,
  help: 'remove NUMBER leading parts of each path; shorter paths are skipped',
};

function parseExclude(text: string): PatternRules {
  try {
    return { rules: [parseExcludePattern(text)], roots: [] };
  } catch (error) {
    if (error instanceof PatternError) throw new InvalidValue(error.message);
    throw error;
  }
}

function collect(add: (rules: PatternRules, text: string) => unknown): ParseValue {
  return (text) => collected((rules) => add(rules, text));
}

function collectFile(add: (rules: PatternRules, contents: Uint8Array) => void): ParseValue {
  return async (text, context: ParseContext) => {
    let contents: Uint8Array;
    try {
      contents = await context.readFile(text);
    } catch (error) {
      const { describeOsError } = await import('../../platform/os-error.ts');
      throw new GeneralError([describeOsError(error, text)], error);
    }
    return collected((rules) => add(rules, contents));
  };
}

function collected(add: (rules: PatternRules) => unknown): PatternRules {
  const rules: PatternRules = { rules: [], roots: [] };
  try {
    add(rules);
  } catch (error) {
    if (error instanceof PatternError) throw new WrongPattern(error);
    throw error;
  }
  return rules;
}

/** Borg shows its text alone. */
class WrongPattern extends CommandError {
  constructor(cause: PatternError) {
    super([cause.message], cause);
    this.message = cause.message;
  }
}
