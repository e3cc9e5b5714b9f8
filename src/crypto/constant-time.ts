import { timingSafeEqual } from 'node:crypto';

/** Compares secrets or MACs in a time that does not depend on where they differ; lengths are not secret. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
