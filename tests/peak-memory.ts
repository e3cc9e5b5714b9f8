/** Runs alcove's command and tells how much memory it took at most. Linux only: the kernel's own mark is read. */
import { readFileSync } from 'node:fs';
import type { Outcome, RunOptions, Workspace } from './workspace.ts';

/** Loaded into the program; not for its threads, which belong to the same process. */
const REPORTER = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) {
    process.on('exit', () => {
      const [, kibibytes] = /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'));
      writeFileSync(process.env.PEAK_MEMORY_FILE, kibibytes);
    });
  }
`;

/** As `space.alcove`; `peakBytes` counts all pages that were resident, those of the Node binary (some 50 MB) too. */
export function runMeasured(
  space: Workspace,
  args: readonly string[],
  options: RunOptions = {},
): Outcome & { peakBytes: number } {
  const file = space.join('peak-memory');
  const env = {
    ...options.env,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(REPORTER)}`,
    PEAK_MEMORY_FILE: file,
  };
  const outcome = space.alcove(args, { ...options, env });
  return { ...outcome, peakBytes: Number(readFileSync(file, 'latin1')) * 1024 };
}
