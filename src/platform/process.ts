/**
 * Other programs: run without a shell, and without our secrets in their environment.
 *
 * Source: Borg 1.4.5, helpers/process.py (prepare_subprocess_env, popen_with_error_handling, ignore_sigint),
 * crypto/key.py (Passphrase.env_passcommand).
 */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { accessSync, closeSync, constants, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { concatBytes } from '../util/bytes.ts';
import type { Environment } from '../util/context.ts';
import { READY_VARIABLE } from './background-variable.ts';
import { cFunction } from './libc.ts';
import { O_CLOEXEC } from './linux.ts';
import { OsError, errnoNumber, isOsError, lastOsError } from './os-error.ts';

const pipe2 = cFunction<[Int32Array, number]>('int pipe2(void *fds, int flags)');

export interface SpawnOptions {
  env: Environment;
  /** A descriptor, ours, or nothing (the default). */
  stdin?: number | 'inherit' | 'ignore';
  stdout?: number | 'inherit' | 'ignore';
  /** The program goes on when the user presses Ctrl-C, since we still need it to end well. */
  ignoreInterrupt?: boolean;
}

export interface RunningProcess {
  readonly pid: number | undefined;
  /** The exit code, or the negative number of the signal that ended it. */
  wait(): Promise<number>;
  kill(signal?: NodeJS.Signals): void;
}

/** A program that we talk to: its streams are ours. */
export interface TalkingProcess extends RunningProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/**
 * What a program that we start gets as its environment: ours without the passphrases, with the version of Borg that
 * we speak if given, and with the library path that was there before a bundler changed it.
 */
export function prepareSubprocessEnvironment(env: Environment, version?: string): Record<string, string> {
  const prepared: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) prepared[name] = value;
  const libraryPath = prepared.LD_LIBRARY_PATH_ORIG;
  if (libraryPath !== undefined) prepared.LD_LIBRARY_PATH = libraryPath;
  delete prepared.BORG_PASSPHRASE;
  delete prepared.BORG_NEW_PASSPHRASE;
  // Borg keeps this one. It may hold a secret itself, and no program that we start needs it.
  delete prepared.BORG_PASSCOMMAND;
  // It names a descriptor that the program does not have.
  delete prepared.BORG_PASSPHRASE_FD;
  delete prepared[READY_VARIABLE];
  if (version !== undefined) prepared.BORG_VERSION = version;
  return prepared;
}

const IGNORING_INT = 'trap "" INT; exec "$@"';

/** Starts a program. Throws ENOENT or EACCES where there is none of that name to start. */
export function spawnProcess(argv: readonly string[], options: SpawnOptions): RunningProcess {
  const env = prepareSubprocessEnvironment(options.env);
  const stdio = [options.stdin ?? 'ignore', options.stdout ?? 'ignore', 'inherit'] satisfies StdioOptions;
  return runningProcess(start(argv, { env, stdio, ignoreInterrupt: options.ignoreInterrupt ?? false }));
}

/**
 * Starts a program to talk to. The user's Ctrl-C does not end it; `version` is the one of Borg that it hears of. Throws
 * ENOENT or EACCES where there is none of that name to start.
 */
export function spawnTalking(
  argv: readonly string[],
  options: { readonly env: Environment; readonly version?: string },
): TalkingProcess {
  const env = prepareSubprocessEnvironment(options.env, options.version);
  const child = start(argv, { env, stdio: 'pipe', ignoreInterrupt: true });
  const { stdin, stdout, stderr } = child;
  return { ...runningProcess(child), stdin: stdin!, stdout: stdout!, stderr: stderr! };
}

interface StartOptions {
  readonly env: Record<string, string>;
  readonly stdio: StdioOptions;
  readonly ignoreInterrupt: boolean;
}

function start(argv: readonly string[], { env, stdio, ignoreInterrupt }: StartOptions): ChildProcess {
  const [command = '', ...args] = argv;
  const executable = findExecutable(command, env);
  if (!ignoreInterrupt) return spawn(executable, args, { argv0: command, env, stdio });
  // Node gives its children the default action for every signal, so a shell must ignore this one for them.
  return spawn('/bin/sh', ['-c', IGNORING_INT, 'sh', executable, ...args], { env, stdio });
}

function runningProcess(child: ChildProcess): RunningProcess {
  const ended = exitCodeOf(child);
  // Whoever waits hears of it; nobody has to.
  ended.catch(() => {});
  return { pid: child.pid, wait: () => ended, kill: (signal) => void child.kill(signal) };
}

/**
 * Starts a program whose output any thread can read, with node:fs, from `fd`; close it after the end. Reading blocks
 * until there is output.
 */
export function spawnReader(argv: readonly string[], options: SpawnOptions): RunningProcess & { fd: number } {
  const [readFd, writeFd] = makePipe();
  try {
    return { ...spawnProcess(argv, { ...options, stdout: writeFd }), fd: readFd };
  } catch (error) {
    closeSync(readFd);
    throw error;
  } finally {
    closeSync(writeFd);
  }
}

/** Starts a program that reads what is written to `fd`; close it so that the program sees the end. */
export function spawnWriter(argv: readonly string[], options: SpawnOptions): RunningProcess & { fd: number } {
  const [readFd, writeFd] = makePipe();
  try {
    return { ...spawnProcess(argv, { ...options, stdin: readFd }), fd: writeFd };
  } catch (error) {
    closeSync(writeFd);
    throw error;
  } finally {
    closeSync(readFd);
  }
}

/** Runs a program to its end, and gives all of its output. It shares our standard input and error. */
export async function captureOutput(
  argv: readonly string[],
  env: Environment,
): Promise<{ output: Uint8Array; exitCode: number }> {
  const prepared = prepareSubprocessEnvironment(env);
  const [command = '', ...args] = argv;
  const child = spawn(findExecutable(command, prepared), args, {
    argv0: command,
    env: prepared,
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  const parts: Uint8Array[] = [];
  child.stdout.on('data', (part: Uint8Array) => parts.push(part));
  const exitCode = await exitCodeOf(child);
  return { output: concatBytes(parts), exitCode };
}

/** The path of the program of this name; undefined where there is none to start. */
export function findProgram(command: string, env: Environment): string | undefined {
  try {
    return findExecutable(command, env);
  } catch (error) {
    if (!isOsError(error)) throw error;
    return undefined;
  }
}

/** The program's path, looked up as execvp(3) does. */
function findExecutable(command: string, env: Environment): string {
  const folders = command.includes('/') ? [''] : (env.PATH ?? '/bin:/usr/bin').split(':');
  let problem = 'ENOENT';
  for (const folder of command === '' ? [] : folders) {
    const path = join(folder, command);
    try {
      const isFile = statSync(path).isFile();
      problem = 'EACCES';
      if (!isFile) continue;
      accessSync(path, constants.X_OK);
      return path.includes('/') ? path : `./${path}`;
    } catch (error) {
      if (!isOsError(error)) throw error;
    }
  }
  throw new OsError(errnoNumber(problem), 'spawn', command);
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? -signalNumber(signal!)));
  });
}

function signalNumber(name: NodeJS.Signals): number {
  return osConstants.signals[name];
}

function makePipe(): [readFd: number, writeFd: number] {
  const fds = new Int32Array(2);
  if (pipe2(fds, O_CLOEXEC) !== 0) throw lastOsError('pipe');
  return [fds[0]!, fds[1]!];
}
