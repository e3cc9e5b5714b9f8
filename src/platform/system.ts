/** The process and the machine as the program finds them; `bin/` and the entry read them once and hand them down. */
import { availableParallelism } from 'node:os';
import type { Environment } from '../util/context.ts';

export function processEnvironment(): Environment {
  return process.env;
}

export function processId(): number {
  return process.pid;
}

/** Permission bits that new files of this process don't get. Not for worker threads, which can't tell. */
export function getUmask(): number {
  return process.umask();
}

/** Sets the umask and returns the one before. Main thread only. */
export function setUmask(mask: number): number {
  return process.umask(mask);
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Bytes of memory that the process occupies. */
export function memoryUsageBytes(): number {
  return process.memoryUsage.rss();
}

/** Processors that this process may use. */
export function processorCount(): number {
  return availableParallelism();
}
