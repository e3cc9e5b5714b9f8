import { randomFillSync } from 'node:crypto';

/** Bytes from the operating system's generator, fit for keys. */
export function randomBytes(lengthBytes: number): Uint8Array {
  return randomFillSync(new Uint8Array(lengthBytes));
}
