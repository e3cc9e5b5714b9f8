/** The passphrase that opened a key, for saving the key again; kept beside the key so that it is no part of it. */
import type { Key } from './key.ts';

const passphrases = new WeakMap<Key, string>();

export function rememberPassphrase(key: Key, passphrase: string): Key {
  passphrases.set(key, passphrase);
  return key;
}

/** Undefined for a key that needs none. */
export function rememberedPassphrase(key: Key): string | undefined {
  return passphrases.get(key);
}
