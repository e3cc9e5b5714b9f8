/**
 * What the hardware allows: how fast each step is by itself, on all cores at once, with the libraries that alcove uses
 * (its own code for cutting, and nothing around it). A row can't take less than the sum of its steps.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { median } from './statistics.ts';

/** Steps by the byte. */
export const BYTE_STEPS = [
  ...(['read', 'cut', 'hash', 'hashBlake2', 'compress', 'seal', 'sealBlake2', 'write'] as const),
  ...(['crc', 'open', 'decompress'] as const),
] as const;
/** Steps by the file: listing and lstat(2), opening and reading 1 kB, making one with 1 kB and its times. */
export const ENTRY_STEPS = ['walk', 'openFile', 'make'] as const;
export type WorkerStep = (typeof BYTE_STEPS)[number] | (typeof ENTRY_STEPS)[number];
/** `start` is that of a Node that does nothing. */
export type Step = WorkerStep | 'start';

/** How many bytes or files; `unpacked` bytes become fewer by compression before this step. */
export type Amount = number | { readonly unpacked: number };
export type Amounts = Partial<Record<Step, Amount>>;

export interface Limits {
  readonly threads: number;
  /** Bytes or files a second, of all threads together. */
  readonly speeds: Readonly<Record<Step, number>>;
  /** Size after compression by LZ4, of the bytes measured with: those of the three big files. */
  readonly compressionRatio: number;
}

export interface WorkerReport {
  readonly speed: number;
  readonly compressionRatio: number;
}

/** Takes some seconds, and some MiB below `work`. */
export async function measureLimits(
  work: string,
  threads: number,
  secondsPerStep: number,
  signal: AbortSignal,
): Promise<Limits> {
  const folder = mkdtempSync(join(work, 'limits-'));
  const workers = Array.from(
    { length: threads },
    (_, number) =>
      new Worker(new URL('limits-worker.ts', import.meta.url), {
        workerData: { folder: join(folder, String(number)), secondsPerStep },
      }),
  );
  const speeds = { start: startsPerSecond() } as Record<Step, number>;
  let compressionRatio = 1;
  try {
    for (const step of [...BYTE_STEPS, ...ENTRY_STEPS]) {
      signal.throwIfAborted();
      const reports = await Promise.all(workers.map((worker) => ask(worker, step)));
      speeds[step] = reports.reduce((sum, { speed }) => sum + speed, 0);
      compressionRatio = reports[0]!.compressionRatio;
    }
    return { threads, speeds, compressionRatio };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The least seconds for these amounts; undefined where nothing is known of them. */
export function limitSeconds(amounts: Amounts, limits: Limits): number | undefined {
  const steps = Object.entries(amounts) as [Step, Amount][];
  if (steps.length === 0) return undefined;
  let seconds = 0;
  for (const [step, amount] of steps) {
    const units = typeof amount === 'number' ? amount : amount.unpacked * limits.compressionRatio;
    seconds += units / limits.speeds[step];
  }
  return seconds;
}

function startsPerSecond(): number {
  const seconds = Array.from({ length: 5 }, () => {
    const startMs = performance.now();
    spawnSync(process.execPath, ['-e', '']);
    return (performance.now() - startMs) / 1000;
  });
  return 1 / median(seconds);
}

function ask(worker: Worker, step: WorkerStep): Promise<WorkerReport> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (report: WorkerReport) => {
      worker.off('error', reject);
      resolve(report);
    });
    worker.postMessage(step);
  });
}
