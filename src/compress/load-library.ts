import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

/** A loaded library, as koffi gives it. */
export type Library = ReturnType<typeof Koffi.load>;

/** Loads the first of these shared libraries that the system has; undefined where it has none. */
export function loadLibrary(names: readonly string[]): Library | undefined {
  // Not a static import: loading koffi takes longer than most commands need altogether.
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  for (const name of names) {
    try {
      return koffi.load(name);
    } catch {
      // The next name may do.
    }
  }
  return undefined;
}
