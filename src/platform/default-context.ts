import type { Context } from '../util/context.ts';
import { SilentReporter } from '../util/reporter.ts';
import { nowNs } from './clock.ts';

/**
 * The context of this process, for programs that use the library: its environment, folder and clock; a reporter that
 * says nothing and collects warnings; no terminal to ask at, so a passphrase comes from `env` (BORG_PASSPHRASE …); no
 * way to interrupt. Each may be given instead.
 */
export function createContext(given: Partial<Context> = {}): Context {
  return {
    env: process.env,
    cwd: process.cwd(),
    reporter: new SilentReporter(),
    signal: new AbortController().signal,
    nowNs,
    readPassphrase: () => Promise.resolve(undefined),
    ...given,
  };
}
