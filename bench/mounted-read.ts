/**
 * Mounts an archive, as a program shows it, and takes the time of what is done there alone.
 *
 * - `ready`: until it is there and its first directory can be listed; the mount itself counts
 * - `walk`: all entries and their attributes, as `find` would
 * - `sequential`, `random`: contents of the files in the first directory
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { randomNumbers } from './corpora/contents.ts';
import { childrenCpuSeconds, type Command, CommandFailed, type Measurement } from './measured-run.ts';

export type MountedWork = 'ready' | 'walk' | 'sequential' | 'random';

const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 5;
const PIECE_BYTES = 1 << 17;
const RANDOM_READS = 500;
const RANDOM_BYTES = 1 << 14;

/** Processor time is that of the mount from its start to its end. */
export async function runMounted(
  command: Command,
  at: string,
  work: MountedWork,
  options: { readonly signal: AbortSignal; readonly errorFile: string },
): Promise<Measurement> {
  options.signal.throwIfAborted();
  const errors = openSync(options.errorFile, 'w');
  const [program, ...args] = command.argv;
  const cpuBefore = childrenCpuSeconds();
  const spawnedMs = performance.now();
  const child = spawn(program!, args, {
    cwd: command.cwd,
    env: command.env,
    stdio: ['ignore', 'ignore', errors],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let seconds = 0;
  let peakBytes = 0;
  try {
    await mounted(at, () => child.exitCode === null && child.signalCode === null, options.signal).catch(
      (cause: unknown) => {
        options.signal.throwIfAborted();
        const text = readFileSync(options.errorFile, 'utf8') || String(cause);
        throw new CommandFailed(command, child.exitCode ?? 'no mount', text);
      },
    );
    const startMs = work === 'ready' ? spawnedMs : performance.now();
    if (work === 'walk') walk(at);
    else if (work === 'sequential') readInOrder(at);
    else if (work === 'random') readAtRandom(at);
    seconds = (performance.now() - startMs) / 1000;
    peakBytes = highWaterMark(child.pid!);
  } finally {
    closeSync(errors);
    unmount(at);
    await Promise.race([ended, wait(10_000)]);
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      process.kill(-child.pid, 'SIGKILL');
      unmount(at);
    }
    await ended;
  }
  return { seconds, cpuSeconds: childrenCpuSeconds() - cpuBefore, otherThreadsSeconds: 0, peakBytes };
}

async function mounted(at: string, alive: () => boolean, signal: AbortSignal): Promise<void> {
  const device = statSync(join(at, '..')).dev;
  for (const endMs = performance.now() + READY_WITHIN_MS; performance.now() < endMs;) {
    signal.throwIfAborted();
    if (!alive()) throw new Error('it ended before anything was mounted');
    if (statSync(at).dev !== device && readdirSync(at).length > 0) return;
    await wait(LOOK_EVERY_MS);
  }
  throw new Error('nothing was mounted in time');
}

function walk(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    lstatSync(path);
    if (entry.isDirectory()) walk(path);
  }
}

function filesBelow(at: string): string[] {
  return readdirSync(at).map((name) => join(at, name));
}

function readInOrder(at: string): void {
  const piece = new Uint8Array(PIECE_BYTES);
  for (const path of filesBelow(at)) {
    const fd = openSync(path, 'r');
    while (readSync(fd, piece) > 0);
    closeSync(fd);
  }
}

function readAtRandom(at: string): void {
  const random = randomNumbers(17);
  const files = filesBelow(at).map((path) => ({ fd: openSync(path, 'r'), size: statSync(path).size }));
  const piece = new Uint8Array(RANDOM_BYTES);
  for (let count = 0; count < RANDOM_READS; count++) {
    const { fd, size } = files[random() % files.length]!;
    readSync(fd, piece, 0, piece.length, Math.floor((random() / 2 ** 32) * size));
  }
  for (const { fd } of files) closeSync(fd);
}

function highWaterMark(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

function unmount(at: string): void {
  for (const [tool, ...args] of [['umount'], ['fusermount3', '-u'], ['fusermount', '-u']] as const) {
    if (spawnSync(tool, [...args, at], { stdio: 'ignore' }).status === 0) return;
  }
}
