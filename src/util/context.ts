import type { Reporter } from './reporter.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the outside world is to the library: handed down, never reached for. */
export interface Context {
  readonly env: Environment;
  /** Working directory, absolute. */
  readonly cwd: string;
  readonly reporter: Reporter;
  /** Aborts when the user interrupts; long work checks it between chunks and items. */
  readonly signal: AbortSignal;
  /** Wall clock, ns since 1970. */
  nowNs(): bigint;
  /** Reads a secret from the terminal without echo; undefined where there is no terminal. */
  readPassphrase(prompt: string): Promise<string | undefined>;
}
