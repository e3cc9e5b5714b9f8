import { processorCount } from '../platform/system.ts';

/**
 * A thread that makes chunks takes up to 40 MB (a chunk as read, as compressed, and in the ring; a heap), one that opens
 * them half of that: with so many, a backup stays below 250 MB. They do more than most disks.
 */
const MAX_DEFAULT_THREADS = 4;

/** Threads to use unless someone says otherwise: one a processor, but no more than memory is set aside for. */
export function defaultThreadCount(): number {
  return Math.min(processorCount(), MAX_DEFAULT_THREADS);
}
