import type { OptionSpec } from './option.ts';
import { flag } from './flag.ts';

/** For commands that can do without the key, and then know nothing of archives. */
export const withoutKeyOption: OptionSpec = flag(
  '--no-key',
  'withoutKey',
  'do without the key, and without what only the key can tell: archives',
);
