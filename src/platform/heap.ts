/** How much memory V8's heaps and the C library keep for later. */
import { setFlagsFromString } from 'node:v8';
import { cFunction } from './libc.ts';

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

/** Numbers of glibc, malloc.h. */
const M_MMAP_THRESHOLD = -3;
const MAPPED_FROM_BYTES = 2 * 2 ** 20;

const mallopt = cFunction<[option: number, value: number]>('int mallopt(int, int)');

/**
 * From now on what takes more than 2 MiB goes back to the system when it is freed: glibc would raise that limit to the
 * largest that was freed so far, up to 32 MiB, and each thread keep for later what is below it. To be called by a program,
 * not by a library, and where functions of C are needed anyway: loading the first takes 10 ms.
 */
export function returnFreedMemory(): void {
  try {
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
  } catch {
    // Other C libraries have no such function.
  }
}
