/** A process for `main` that keeps what was written, and answers what it was told to answer. */
import type { CliIo, Output } from '../../src/cli/io.ts';
import { removeSurrogates } from '../../src/util/surrogate-escape.ts';
import type { ProgramName } from '../../src/cli/program-name.ts';

export class FakeOutput implements Output {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  #parts: Buffer[] = [];

  constructor(columns?: number) {
    this.isTerminal = columns !== undefined;
    this.columns = columns;
  }

  write(data: string | Uint8Array): void {
    this.#parts.push(Buffer.from(typeof data === 'string' ? Buffer.from(removeSurrogates(data)) : data));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  get text(): string {
    return this.bytes.toString();
  }

  get lines(): string[] {
    return this.text.split('\n').filter((line) => line !== '');
  }
}

export interface FakeOptions {
  name?: ProgramName;
  env?: Record<string, string>;
  cwd?: string;
  /** Columns of stderr; without them it is no terminal. */
  columns?: number;
  answers?: string[];
  passphrases?: string[];
  files?: Record<string, string>;
  input?: string;
  /** Paths that exist. */
  sources?: string[];
  signal?: AbortSignal;
}

export type FakeIo = CliIo & {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  readonly prompts: string[];
};

/** 2026-11-22 13:00:00 UTC. */
export const FAKE_NOW_NS = 1_795_352_400n * 1_000_000_000n;

export function fakeIo(argv: readonly string[], options: FakeOptions = {}): FakeIo {
  const prompts: string[] = [];
  const answers = [...(options.answers ?? [])];
  const passphrases = [...(options.passphrases ?? [])];
  let nowNs = FAKE_NOW_NS;
  const name = options.name ?? 'alcove';
  return {
    name,
    argv,
    commandLine: [name, ...argv],
    program: 'alcove',
    env: options.env ?? {},
    cwd: options.cwd ?? '/nowhere',
    stdout: new FakeOutput(),
    stderr: new FakeOutput(options.columns),
    signal: options.signal ?? new AbortController().signal,
    nowNs: () => (nowNs += 1_000_000_000n),
    readFile: (path) => {
      const contents = options.files?.[path];
      if (contents !== undefined) return Promise.resolve(Buffer.from(contents));
      const missing = { code: 'ENOENT', errno: -2, syscall: 'open', path };
      return Promise.reject(Object.assign(new Error('ENOENT'), missing));
    },
    openLog: () => () => {},
    modifiedNs: (path) => Promise.resolve(options.sources?.includes(path) ? FAKE_NOW_NS : undefined),
    identity: () => Promise.resolve({ pid: 42, hostname: 'machine', fqdn: 'machine.example', user: 'anna' }),
    setUmask: () => {},
    hasTerminal: () => options.passphrases !== undefined,
    readPassphrase: (prompt) => {
      prompts.push(prompt);
      return Promise.resolve(passphrases.shift());
    },
    readLine: () => Promise.resolve(answers.shift()),
    readInput: () => Promise.resolve(Buffer.from(options.input ?? '')),
    prompts,
  };
}
