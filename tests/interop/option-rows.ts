/** Wrong uses of each option of a command, made from the command's data. */
import type { CommandSpec } from '../../src/cli/command.ts';
import { takesValue } from '../../src/cli/options/tokens.ts';
import { optionsOf, type OptionSpec } from '../../src/cli/options/option.ts';

/** What no number, size, list or mode is, and what only looks as if it were none. */
const ODD_VALUES = ['x', '-1', '0', '1.5', '9'.repeat(25), ' 3 ', '1_0', '1__0', '+5', '0x10', 'a,b'];
const ODD_TEXTS = ['{nope}', '{', '-x', '--', '- x'];

export const NO_OBJECT = '0'.repeat(64);

/** What follows the options of each command: all that it needs, of a repository that isn't there. */
export const operands: Readonly<Record<string, readonly string[]>> = {
  'benchmark crud': ['OWN/none', 'tree'],
  'break-lock': ['OWN/none'],
  check: ['OWN/none'],
  compact: ['OWN/none'],
  config: ['OWN/none', 'id'],
  create: ['OWN/none::new', 'tree'],
  'debug convert-profile': ['OWN/none', 'OWN/none'],
  'debug delete-obj': ['OWN/none', NO_OBJECT],
  'debug dump-archive': ['OWN/none::one', 'OWN/dump'],
  'debug dump-archive-items': ['OWN/none::one'],
  'debug dump-hints': ['OWN/none', 'OWN/dump'],
  'debug dump-manifest': ['OWN/none', 'OWN/dump'],
  'debug dump-repo-objs': ['OWN/none'],
  'debug get-obj': ['OWN/none', NO_OBJECT, 'OWN/dump'],
  'debug id-hash': ['OWN/none', 'tree/a.txt'],
  'debug info': [],
  'debug put-obj': ['OWN/none', NO_OBJECT, 'tree/a.txt'],
  'debug refcount-obj': ['OWN/none', NO_OBJECT],
  'debug search-repo-objs': ['OWN/none', 'hex:00'],
  delete: ['OWN/none'],
  diff: ['OWN/none::one', 'two'],
  'export-tar': ['OWN/none::one', 'OWN/tar'],
  extract: ['OWN/none::one'],
  'import-tar': ['OWN/none::new', 'tree/a.txt'],
  info: ['OWN/none'],
  init: ['-e', 'none', 'OWN/none/none'],
  'key change-passphrase': ['OWN/none'],
  'key export': ['OWN/none', 'tree'],
  'key export-related-secrets': ['OWN/none', 'tree'],
  'key import': ['OWN/none', 'tree/a.txt'],
  'key migrate-to-repokey': ['OWN/none'],
  list: ['OWN/none'],
  // Nothing is mounted: there is no such directory.
  mount: ['OWN/none', 'OWN/missing'],
  prune: ['OWN/none'],
  recreate: ['OWN/none'],
  rename: ['OWN/none::one', 'two'],
  // One word too many: nothing is served, nothing unmounted.
  serve: ['x'],
  umount: ['OWN/none', 'x'],
  upgrade: ['OWN/none'],
  version: ['OWN/none'],
  'with-lock': ['OWN/none', 'true'],
};

/** What writes files, and what shows the program's insides. */
const leftOut = ['--debug-profile', '--make-parent-dirs', '--debug'];

export interface OptionRows {
  /** All its spellings. */
  readonly option: string;
  readonly rows: readonly (readonly string[])[];
}

/**
 * Of the command's own options, and of more that it has; those that were `seen` before in another command are tried
 * less.
 */
export function optionRows(
  spec: CommandSpec,
  more: readonly OptionSpec[],
  seen: Set<OptionSpec>,
): OptionRows[] {
  const name = spec.name.split(' ');
  const behind = operands[spec.name]!;
  const options = [...optionsOf(spec), ...more];
  const wanted = options.filter(
    ({ flags, dest, beyondBorg }) =>
      dest !== 'help' && !beyondBorg && !flags.some((flag) => leftOut.includes(flag)),
  );
  return wanted.map((option) => {
    const uses = takesValue(option) ? valueUses(option, seen.has(option)) : flagUses(option);
    seen.add(option);
    const atEnd = takesValue(option) ? [[...name, ...behind, option.flags.at(-1)!]] : [];
    const rows = [...uses, ...abbreviations(option, options), ...pairs(option, options)];
    return {
      option: option.flags.join('/'),
      rows: [...rows.map((use) => [...name, ...use, ...behind]), ...atEnd],
    };
  });
}

function valueUses(option: OptionSpec, isSeen: boolean): string[][] {
  const flag = option.flags.at(-1)!;
  const odd = option.parse === undefined && option.choices === undefined ? [] : ODD_VALUES;
  const short = option.flags.filter((spelling) => !spelling.startsWith('--'));
  if (isSeen) return [[flag, '--info'], ...(odd.length > 0 ? [[flag, '1__0']] : [])];
  return [
    [flag, '--info'],
    [`${flag}=`],
    ...['', ...odd, ...ODD_TEXTS].map((value) => [flag, value]),
    ...short.map((spelling) => [`${spelling}x`]),
  ];
}

function flagUses(option: OptionSpec): string[][] {
  return option.flags.flatMap((flag) =>
    flag.startsWith('--') ? [[flag], [`${flag}=x`], [`${flag}=`]] : [[`${flag}=x`], [`${flag}9`]],
  );
}

/** Long options without their last letter, and the shortest text that only they begin with, and one letter less. */
function abbreviations(option: OptionSpec, options: readonly OptionSpec[]): string[][] {
  const others = options.filter((other) => other !== option).flatMap(({ flags }) => flags);
  const value = takesValue(option) ? ['5'] : [];
  return option.flags
    .filter((flag) => flag.startsWith('--'))
    .flatMap((flag) => {
      let length = 3;
      while (length < flag.length && others.some((other) => other.startsWith(flag.slice(0, length))))
        length++;
      return [...new Set([length - 1, length, flag.length - 1])].map((end) => [flag.slice(0, end), ...value]);
    });
}

/** Twice, and together with each option that it excludes. */
function pairs(option: OptionSpec, options: readonly OptionSpec[]): string[][] {
  const excluded = options.filter(
    (other) => other !== option && option.excludes !== undefined && other.excludes === option.excludes,
  );
  return [option, ...excluded].map((other) => [...fairUse(option, 'a'), ...fairUse(other, 'b')]);
}

function fairUse({ flags, metavar, choices, fallback }: OptionSpec, text: string): string[] {
  if (metavar === undefined) return [flags.at(-1)!];
  return [flags.at(-1)!, choices?.at(-1) ?? (typeof fallback === 'number' ? '7' : text)];
}
