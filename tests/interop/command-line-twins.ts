/** Gives many command lines to alcove and to the reference, without starting either each time. */
import { join } from 'node:path';

import { EXIT_ERROR } from '../../src/cli/exit-code.ts';
import { encodeSurrogateEscaped } from '../../src/util/surrogate-escape.ts';
import { comparable, type Comparable } from './comparable.ts';
import { runInProcess } from './in-process.ts';
import { ReferenceServer } from './reference-server.ts';
import { Twins, type Side, type TwinOutcome } from './twins.ts';

/** Words, in which bytes that are not UTF-8 stand as in `util/surrogate-escape.ts`. */
export type CommandLine = readonly string[];

export interface Difference {
  readonly alcove: Comparable;
  readonly borg: Comparable;
}

const EXIT_WARNING_BASE = 100;

const env = {
  PATH: process.env['PATH'] ?? '',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  BORG_EXIT_CODES: 'modern',
  BORG_SELFTEST: 'disabled',
  BORG_PASSPHRASE: 'twins',
  BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
};

export class CommandLineTwins implements Disposable {
  readonly twins = new Twins();
  readonly #reference = new ReferenceServer(env);
  readonly #cwd = process.cwd();

  constructor() {
    // What alcove starts begins where this process is.
    process.chdir(this.twins.shared);
  }

  /** How each ends, by command line, where they end differently. */
  async differences(
    lines: readonly CommandLine[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<Map<string, Difference>> {
    const found = new Map<string, Difference>();
    for (const line of lines) {
      const [alcove, borg] = await Promise.all([
        this.#end('alcove', line, more),
        this.#end('borg', line, more),
      ]);
      const ends = { alcove, borg };
      if (JSON.stringify(ends.alcove) === JSON.stringify(ends.borg) || isMeant(line, ends)) continue;
      found.set(textOf(line), ends);
    }
    return found;
  }

  async #end(side: Side, line: CommandLine, more: Readonly<Record<string, string>>): Promise<Comparable> {
    const home = join(this.twins.folder(side), 'home');
    const resolved = Object.entries(more).map(([name, value]) => [name, this.twins.resolve(side, value)]);
    const run = {
      args: line.map((word) => bytesOf(this.twins.resolve(side, word))),
      env: { ...env, HOME: home, BORG_BASE_DIR: home, ...Object.fromEntries(resolved) },
      cwd: this.twins.shared,
    };
    const outcome = side === 'borg' ? await this.#reference.run(run) : await runInProcess(run);
    const folders = [this.twins.folder('alcove'), this.twins.folder('borg')];
    return comparable(errorAlone(outcome), { folders, ownArchives: true });
  }

  [Symbol.dispose](): void {
    this.#reference[Symbol.dispose]();
    process.chdir(this.#cwd);
    this.twins[Symbol.dispose]();
  }
}

/** Wrong in two ways: alcove looks at the command line before it looks for the repository. */
const beforeRepository = [
  /^Command Error: At least one of the "keep-within"/m,
  /^Command Error: The --json-lines option is only valid/m,
  /^Command Error: No config key name was provided/m,
  /^Command Error: with --paper import from file is not supported/m,
  /^Command Error: expected input file to import key from/m,
  /^Command Error: input file does not exist/m,
];

/** Said in other words: what is unknown alone, since what follows may be its value; and what is wrong with a pattern. */
const otherWords = [
  /^error: unrecognized arguments: /m,
  /^error: argument -e\/--exclude: Unknown pattern style/m,
];

/** Numbers of Python that make no sense, or no difference. */
const numbers = /--(?:stdin-mode|umask) -1 |--storage-quota (?:9{25}|1_0) /;

function isMeant(line: CommandLine, { alcove, borg }: Difference): boolean {
  if (numbers.test(line.join(' '))) return true;
  const [ours, theirs] = [String(alcove.stderr), String(borg.stderr)];
  const isError = alcove.status >= EXIT_ERROR && alcove.status < EXIT_WARNING_BASE;
  // Where Borg ends with a Python stack, alcove says what is wrong.
  if (/^Traceback/m.test(theirs)) return isError && !/^ {4}at |Internal error/m.test(ours);
  if (/^error: /m.test(theirs) && otherWords.some((text) => text.test(ours)))
    return alcove.status === borg.status;
  const isRepositoryWrong = /does not exist|already exists|^Key management/.test(theirs);
  return isRepositoryWrong && beforeRepository.some((text) => text.test(ours));
}

function bytesOf(word: string): string {
  return Buffer.from(encodeSurrogateEscaped(word)).toString('latin1');
}

export function textOf(line: CommandLine): string {
  return line.map((word) => (/^[\w/:.,=+-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
}

/**
 * The error of a command line without what alcove says below it, and without the program in front of it: Borg does not
 * always name the command.
 */
function errorAlone(outcome: TwinOutcome): TwinOutcome {
  const stderr = outcome.stderr.replace(/^(?:alcove|borg)[a-z -]*: error: (.*\n)[^]*/m, 'error: $1');
  return {
    ...outcome,
    stderr: stderr
      .replaceAll('``', '')
      .replaceAll(/\\udc[89a-f][0-9a-f]/g, '?')
      .replace(/(argument <command>: invalid choice: .*) \(choose from .*\)/, '$1'),
  };
}
