/**
 * What a command would take on a machine with more cores, from the processor time that its main thread and its other
 * threads take in runs on this one.
 *
 * The main thread is one: it changes the repository, and walks, or makes files. All else is taken to be divided among
 * the cores without loss. So with n cores a command takes at least as long as its main thread, and at least an n-th of all
 * processor time. The rest of what was measured, e.g. the start of threads and waiting for the disk, is left out: the
 * model says what can be had at best, and where more cores stop to help.
 */
import type { ProgramRuns } from './results.ts';
import { median } from './statistics.ts';

export const MODEL_CORES = [1, 2, 4, 8, 16] as const;

/** Rows that are measured for it: those in which several threads work. */
export const MODEL_ROWS = [
  'create-big',
  'create-tree',
  'create-unchanged',
  'extract-tree',
  'extract-big',
  'check',
  'check-data',
] as const;

export interface Model {
  readonly mainSeconds: number;
  readonly otherThreadsSeconds: number;
  /** From this number of cores on the main thread is what it waits for; Infinity where that has nothing to do. */
  readonly enoughCores: number;
}

/** Undefined where the runs don't tell the threads apart. */
export function modelOf({ cpuSeconds, otherThreadsSeconds }: ProgramRuns): Model | undefined {
  if (otherThreadsSeconds === undefined || otherThreadsSeconds.length === 0) return undefined;
  const others = median(otherThreadsSeconds);
  const mainSeconds = Math.max(median(cpuSeconds) - others, 0);
  const enoughCores = mainSeconds > 0 ? (mainSeconds + others) / mainSeconds : Infinity;
  return { mainSeconds, otherThreadsSeconds: others, enoughCores };
}

export function modelledSeconds({ mainSeconds, otherThreadsSeconds }: Model, cores: number): number {
  return Math.max(mainSeconds, (mainSeconds + otherThreadsSeconds) / cores);
}
