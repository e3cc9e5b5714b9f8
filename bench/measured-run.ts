/**
 * One run of one command: how long it took, the processor time of all its threads and of all processes it started, and
 * the most memory they had at once.
 *
 * Time comes from getrusage(2) of children that were waited for. Memory is looked up in /proc every few milliseconds:
 * the kernel's own high-water mark (VmHWM) of each process, and the sum of what all have at the same moment (VmRSS). A
 * control group's peak would count cached files too, which a program can't help. The time of each thread is looked up
 * there, too.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { cFunction } from '../src/platform/libc.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Measurement {
  readonly seconds: number;
  /** User and system time. */
  readonly cpuSeconds: number;
  /** Of that, what other threads than the first of each process took, as far as it was seen. */
  readonly otherThreadsSeconds: number;
  /** 0 where the system has no /proc, or the process ended before the first look. */
  readonly peakBytes: number;
}

export interface RunOptions {
  /** Ends the command and all it started. */
  readonly signal: AbortSignal;
  /** Where its standard error goes; shown where it fails. */
  readonly errorFile: string;
  /** Fed to the command, whose input is empty otherwise. */
  readonly input?: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>;
}

/**
 * A look at a program with a dozen threads takes half a millisecond, of a processor that the program may have use for: at
 * first they are close together, for commands that end soon.
 */
const EARLY_LOOKS = 20;
const EARLY_LOOK_MS = 10;
const LOOK_MS = 50;
/** What Linux counts in. */
const TICKS_PER_SECOND = 100;

/** Throws where the command ends with another code than 0; with the signal's reason where that ended it. */
export async function runMeasured(command: Command, options: RunOptions): Promise<Measurement> {
  options.signal.throwIfAborted();
  const errors = openSync(options.errorFile, 'w');
  try {
    const cpuBefore = childrenCpuSeconds();
    const startMs = performance.now();
    const [program, ...args] = command.argv;
    const child = spawn(program!, args, {
      cwd: command.cwd,
      env: command.env,
      stdio: [options.input ? 'pipe' : 'ignore', 'ignore', errors],
      // A group of its own, so that all of it can be ended.
      detached: true,
    });
    const watch = new ProcessWatch(child.pid);
    const end = () => killGroup(child.pid);
    options.signal.addEventListener('abort', end, { once: true });
    let looks = 0;
    const lookLater = (): NodeJS.Timeout =>
      setTimeout(
        () => {
          watch.look();
          timer = lookLater();
        },
        looks++ < EARLY_LOOKS ? EARLY_LOOK_MS : LOOK_MS,
      );
    let timer = lookLater();
    const ended = new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    const { stdin } = child;
    if (stdin !== null) {
      stdin.on('error', () => {});
      const write = (bytes: Uint8Array) =>
        new Promise<void>((resolve) => stdin.write(bytes, () => resolve()));
      void options.input?.(write).finally(() => stdin.end());
    }
    try {
      const status = await ended;
      const seconds = (performance.now() - startMs) / 1000;
      options.signal.throwIfAborted();
      if (status !== 0) throw new CommandFailed(command, status, readFileSync(options.errorFile, 'utf8'));
      const { otherThreadsSeconds, peakBytes } = watch;
      return { seconds, cpuSeconds: childrenCpuSeconds() - cpuBefore, otherThreadsSeconds, peakBytes };
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', end);
    }
  } finally {
    closeSync(errors);
  }
}

export class CommandFailed extends Error {
  constructor({ argv }: Command, status: number | string, errors: string) {
    super(`${argv.join(' ')}: ended with ${status}\n${errors.slice(-2000)}`);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

const getrusage = cFunction<[number, BigInt64Array]>('int getrusage(int who, void *usage)');
const RUSAGE_CHILDREN = -1;
const RUSAGE_WORDS = 18;

/** User and system time of all children that have ended, and of theirs. */
export function childrenCpuSeconds(): number {
  const usage = new BigInt64Array(RUSAGE_WORDS);
  if (getrusage(RUSAGE_CHILDREN, usage) !== 0) throw new Error('getrusage() failed');
  const [userSeconds, userMicroseconds, systemSeconds, systemMicroseconds] = Array.from(usage, Number);
  return userSeconds! + systemSeconds! + (userMicroseconds! + systemMicroseconds!) / 1e6;
}

class ProcessWatch {
  readonly #pid: number | undefined;
  /** By thread, what it had taken at the last look. */
  readonly #ticks = new Map<number, number>();
  peakBytes = 0;

  constructor(pid: number | undefined) {
    this.#pid = pid;
  }

  get otherThreadsSeconds(): number {
    let ticks = 0;
    for (const taken of this.#ticks.values()) ticks += taken;
    return ticks / TICKS_PER_SECOND;
  }

  look(): void {
    if (this.#pid === undefined) return;
    let together = 0;
    for (const pid of processTree(this.#pid)) {
      const status = readOrEmpty(`/proc/${pid}/status`);
      together += kibibytes(status, 'VmRSS');
      this.peakBytes = Math.max(this.peakBytes, kibibytes(status, 'VmHWM') * 1024);
      for (const thread of threadsOf(pid).map(Number)) {
        const ticks = thread === pid ? 0 : threadTicks(readOrEmpty(`/proc/${pid}/task/${thread}/stat`));
        if (ticks > 0) this.#ticks.set(thread, ticks);
      }
    }
    this.peakBytes = Math.max(this.peakBytes, together * 1024);
  }
}

/** User and system time of a thread, from its `stat`; 0 where it has ended. See proc_pid_stat(5), utime and stime. */
function threadTicks(stat: string): number {
  // Behind the name, which may have spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** The process, the children of all its threads, and theirs. */
function processTree(pid: number): number[] {
  const found = [pid];
  for (const process of found) {
    for (const thread of threadsOf(process)) {
      const children = readOrEmpty(`/proc/${process}/task/${thread}/children`);
      found.push(...children.split(' ').filter(Boolean).map(Number));
    }
  }
  return found;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
}
