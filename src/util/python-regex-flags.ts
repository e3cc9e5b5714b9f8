/** The flags of a pattern or of a group in it. */

export interface RegexFlags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly verbose: boolean;
  readonly ascii: boolean;
}

export const NO_FLAGS: RegexFlags = {
  ignoreCase: false,
  multiline: false,
  dotAll: false,
  verbose: false,
  ascii: false,
};

/** The flags after `(?on-off)`; text where the letters do not go together. */
export function changeFlags(flags: RegexFlags, on: string, off: string): RegexFlags | string {
  if (on.includes('L') || off.includes('L')) return "flag 'L' is for bytes patterns";
  if (on.includes('a') && on.includes('u')) return "flags 'a' and 'u' are incompatible";
  if (/[au]/.test(off)) return "flags 'a' and 'u' cannot be turned off";
  const changed = (letter: string, before: boolean): boolean =>
    on.includes(letter) || (before && !off.includes(letter));
  return {
    ignoreCase: changed('i', flags.ignoreCase),
    multiline: changed('m', flags.multiline),
    dotAll: changed('s', flags.dotAll),
    verbose: changed('x', flags.verbose),
    ascii: !on.includes('u') && changed('a', flags.ascii),
  };
}
