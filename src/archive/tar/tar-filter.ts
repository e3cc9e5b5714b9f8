/**
 * Programs between us and a tar: they compress what is written, and decompress what is read.
 *
 * Source: Borg 1.4.5, helpers/misc.py, get_tar_filter; helpers/process.py, create_filter_process.
 */
import { GeneralError } from '../../errors.ts';
import { isOsError } from '../../platform/os-error.ts';
import type { RunningProcess, SpawnOptions } from '../../platform/process.ts';
import type { Context } from '../../util/context.ts';
import { ShellSyntaxError, splitShellWords } from '../../util/shell-words.ts';

const FILTERS: readonly (readonly [ending: string, program: string])[] = [
  ['.tar.gz', 'gzip'],
  ['.tgz', 'gzip'],
  ['.tar.bz2', 'bzip2'],
  ['.tbz', 'bzip2'],
  ['.tar.xz', 'xz'],
  ['.txz', 'xz'],
  ['.tar.lz4', 'lz4'],
  ['.tar.zstd', 'zstd'],
  ['.tar.zst', 'zstd'],
];

/** The command for a file of this name; undefined where the name does not tell of a compression. */
export function tarFilterOf(fileName: string, direction: 'compress' | 'decompress'): string | undefined {
  const program = FILTERS.find(([ending]) => fileName.endsWith(ending))?.[1];
  return program === undefined || direction === 'compress' ? program : `${program} -d`;
}

export class TarFilter {
  /** What we read from, or write to. */
  readonly fd: number;
  readonly #command: string;
  readonly #program: RunningProcess;

  private constructor(command: string, program: RunningProcess & { readonly fd: number }) {
    this.#command = command;
    this.#program = program;
    this.fd = program.fd;
  }

  /**
   * Starts the command, split into words as a shell does it.
   *
   * @throws GeneralError where it can't be started
   */
  static start(
    ctx: Context,
    command: string,
    spawn: (argv: readonly string[], options: SpawnOptions) => RunningProcess & { readonly fd: number },
    streams: Pick<SpawnOptions, 'stdin' | 'stdout'>,
  ): TarFilter {
    const fail = (problem: string, cause: unknown): never => {
      const logger = 'borg.helpers.process';
      ctx.reporter.log('error', `filter-process: ${problem}`, { logger });
      throw new GeneralError([`filter ${command}: process creation failed`], cause);
    };
    let argv: string[] = [];
    try {
      argv = splitShellWords(command);
      if (argv.length === 0) return fail('an empty command line is not permitted', undefined);
      // It has to go on at Ctrl-C, since what we have given it, or need from it, must not be cut off.
      return new TarFilter(command, spawn(argv, { ...streams, env: ctx.env, ignoreInterrupt: true }));
    } catch (error) {
      if (error instanceof ShellSyntaxError) return fail(error.message, error);
      if (isOsError(error, 'ENOENT')) return fail(`executable not found: ${argv[0]}`, error);
      if (isOsError(error, 'EACCES')) return fail(`permission denied: ${argv[0]}`, error);
      throw error;
    }
  }

  /**
   * Waits for its end; its streams must have been closed, or read to the end.
   *
   * @throws GeneralError where it failed
   */
  async finish(): Promise<void> {
    const exitCode = await this.#program.wait();
    if (exitCode !== 0) throw new GeneralError([`filter ${this.#command} failed, rc=${exitCode}`]);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#program.kill('SIGKILL');
    await this.#program.wait();
  }
}
