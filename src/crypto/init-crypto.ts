import { initBlake2b } from './blake2b.ts';
import type { KeyMaterial } from './key-material.ts';

/**
 * Prepares this thread for the synchronous functions of this folder; cheap when called again. With `material`,
 * only what that key uses is loaded.
 */
export async function initCrypto(material?: KeyMaterial): Promise<void> {
  if (material === undefined || material.mac === 'blake2b-256' || material.idHash === 'blake2b-256') {
    await initBlake2b();
  }
}
