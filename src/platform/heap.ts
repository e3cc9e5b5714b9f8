/** The size of V8's heaps. */
import { setFlagsFromString } from 'node:v8';

/** Until then a program has loaded itself, and started its threads, where it is to have any. */
const LOADED_AFTER_MS = 400;

/**
 * Soon keeps the young generation from growing: V8 would let it grow to 32 MiB and more, several times over, and keep most
 * of 150 MB committed for 15 MB that are alive. Collecting it more often takes a few percent more time. To be called by
 * a program, not by a library. The limit itself (--max-semi-space-size) can only be set on the command line, where
 * a script that is run directly has no say.
 *
 * Not at once: V8 takes Node's own modules from a cache only while its flags are those that the cache was made with, and
 * compiles what is loaded later. A short command would take a fifth longer.
 */
export function keepHeapsSmall(): void {
  setTimeout(() => setFlagsFromString('--semi-space-growth-factor=1'), LOADED_AFTER_MS).unref();
}
