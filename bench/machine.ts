/** What a measurement was made on: nothing that says whose machine it is. */
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { statfsSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

export interface Machine {
  readonly system: string;
  readonly kernel: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
}

export function machineFacts(): Machine {
  return {
    system: type(),
    kernel: release(),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
  };
}

/** Processes that wanted to run, on average over the last minute: above the cores' number, others disturb. */
export function loadAverage(): number {
  return Math.round(loadavg()[0]! * 10) / 10;
}

export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Writes out what earlier runs left, so that the next one doesn't wait for it. */
export function settle(folder: string): void {
  spawnSync('sync', ['-f', folder], { stdio: 'ignore' });
}

/** Forgets all cached files. Throws where this user may not. */
export function dropCaches(): void {
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}
