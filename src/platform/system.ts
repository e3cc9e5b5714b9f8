/** The process and the machine as the program finds them; `bin/` and the entry read them once and hand them down. */
import { availableParallelism } from 'node:os';

/** Sets the umask and returns the one before. Main thread only. */
export function setUmask(mask: number): number {
  return process.umask(mask);
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Processors that this process may use. */
export function processorCount(): number {
  return availableParallelism();
}
