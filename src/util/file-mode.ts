/** Types and permissions as `ls -l` shows them. */

const TYPE_MASK = 0o170000;
const TYPES: ReadonlyMap<number, string> = new Map([
  [0o100000, '-'],
  [0o040000, 'd'],
  [0o120000, 'l'],
  [0o060000, 'b'],
  [0o020000, 'c'],
  [0o010000, 'p'],
  [0o140000, 's'],
]);

/** Lists of files have the same few again and again. */
const formattedModes = new Map<number, string>();
const MAX_FORMATTED_MODES = 1000;

/** E.g. `drwxr-xr-x`; an unknown type is shown as `?`. */
export function formatFileMode(mode: number): string {
  let text = formattedModes.get(mode);
  if (text !== undefined) return text;
  text = format(mode);
  if (formattedModes.size === MAX_FORMATTED_MODES) formattedModes.clear();
  formattedModes.set(mode, text);
  return text;
}

function format(mode: number): string {
  const special = (bit: number, execute: number, letter: string): string => {
    if ((mode & bit) === 0) return (mode & execute) === 0 ? '-' : 'x';
    return (mode & execute) === 0 ? letter.toUpperCase() : letter;
  };
  const flag = (bit: number, letter: string): string => ((mode & bit) === 0 ? '-' : letter);
  return (
    (TYPES.get(mode & TYPE_MASK) ?? '?') +
    flag(0o400, 'r') +
    flag(0o200, 'w') +
    special(0o4000, 0o100, 's') +
    flag(0o040, 'r') +
    flag(0o020, 'w') +
    special(0o2000, 0o010, 's') +
    flag(0o004, 'r') +
    flag(0o002, 'w') +
    special(0o1000, 0o001, 't')
  );
}
