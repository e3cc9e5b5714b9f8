import type { OptionGroup, OptionSpec } from './option.ts';

/** An option without a value: true where it was given, else false. */
export function flag(flags: string | readonly string[], dest: string, help: string): OptionSpec {
  return {
    flags: typeof flags === 'string' ? [flags] : flags,
    dest,
    action: 'constant',
    fallback: false,
    help,
  };
}

export function optionGroup(title: string, ...options: readonly OptionSpec[]): OptionGroup {
  return { title, options };
}
