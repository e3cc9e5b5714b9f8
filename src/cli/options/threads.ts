import { InvalidValue, type OptionSpec, type ParseValue } from './option.ts';
import { parsePositiveInteger } from './values.ts';

/** For commands whose work is done in threads. */
export interface ThreadsArgs {
  /** Undefined: one a processor, four at most. */
  readonly threads: number | undefined;
}

/** Each may take 40 MB, and needs a processor. */
const MAX_THREADS = 256;

const parseThreads: ParseValue = (text, context) => {
  const count = parsePositiveInteger(text, context) as number;
  if (count > MAX_THREADS) throw new InvalidValue(`at most ${MAX_THREADS} threads are possible: ${text}`);
  return count;
};

export const threadsOption: OptionSpec = {
  flags: ['--threads'],
  dest: 'threads',
  metavar: 'NUMBER',
  parse: parseThreads,
  beyondBorg: true,
  variable: 'ALCOVE_THREADS',
  help: 'let NUMBER threads work; each takes up to 40 MB of memory (default: ALCOVE_THREADS, or one a processor, 4 at most)',
};
