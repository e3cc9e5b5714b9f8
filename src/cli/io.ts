import type { Environment } from '../util/context.ts';
import type { ProgramName } from './program-name.ts';

/** A stream that the program writes to. */
export interface Output {
  readonly isTerminal: boolean;
  /** Width in cells; undefined where it is no terminal. */
  readonly columns: number | undefined;
  write(data: string | Uint8Array): void;
  /** Writes what may be much; a reader who is slow, or does not read, keeps no signal away. Throws the signal's reason. */
  writeMuch?(data: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Sends what was gathered so far, for whoever waits for it. */
  flush?(): void | Promise<void>;
}

/** Who runs where: what placeholders in names stand for. */
export interface Identity {
  readonly pid: number;
  readonly hostname: string;
  /** The full name of the machine. */
  readonly fqdn: string;
  readonly user: string;
}

/** What a process is to the command line; `entry.ts` builds the real one, tests build their own. */
export interface CliIo {
  /** What the program calls itself. */
  readonly name: ProgramName;
  /** What follows the program's name. Bytes that are not UTF-8 stand as in `util/surrogate-escape.ts`. */
  readonly argv: readonly string[];
  /** The program as it was started, and its arguments: what archives keep. */
  readonly commandLine: readonly string[];
  /** What starts the program from any directory, as a shell takes it. */
  readonly program: string;
  readonly env: Environment;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborts when the process is told to stop; the reason is a `SignalReceived`. */
  readonly signal: AbortSignal;
  /** Another process of this program has started this one, and says what is said before and after a command. */
  readonly isBackground?: boolean;
  nowNs(): bigint;
  /** Contents of a file; relative paths start at `cwd`. */
  readFile(path: string): Promise<Uint8Array>;
  /** Opens a file to write text into, at its end or anew. */
  openLog(path: string, append: boolean): (text: string) => void;
  /** Modification time of what a path leads to, ns; undefined where there is nothing. */
  modifiedNs(path: string): Promise<bigint | undefined>;
  identity(): Promise<Identity>;
  setUmask(mask: number): void;
  /** Whether somebody can be asked. */
  hasTerminal(): boolean;
  /** Calls the listener whenever somebody wants to know what is being done: SIGUSR1, SIGUSR2, Ctrl-T where there is one. */
  onInquiry?(listener: () => void): void;
  /** Reads a secret from the terminal without echo; undefined where there is no terminal. */
  readPassphrase(prompt: string): Promise<string | undefined>;
  /** All that is left of the standard input. */
  readInput(): Promise<Uint8Array>;
  /** The next line of the standard input without its end; undefined after the last one. */
  readLine(): Promise<string | undefined>;
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Why `CliIo.signal` aborted. */
export class SignalReceived extends Error {
  override readonly name = 'AbortError';
  readonly signalName: StopSignal;

  constructor(signalName: StopSignal) {
    super(`received ${signalName}`);
    this.signalName = signalName;
  }
}
