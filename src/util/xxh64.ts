/**
 * XXH64 with seed 0, streaming and synchronous after initXxh64().
 *
 * There is one WASM instance, and hashers take turns on it: whoever comes next saves the state of the one before.
 */
import { createRequire } from 'node:module';
import type { createXXHash64, IHasher } from 'hash-wasm';

/** Of the package's files the one with this hash alone: all of them take 5 ms to load. */
const MODULE = 'hash-wasm/dist/xxhash64.umd.min.js';

let engine: IHasher | undefined;
let owner: Saved | undefined;

/** A hasher's state while another one has the engine; undefined before its first turn. */
interface Saved {
  state: Uint8Array | undefined;
}

/** Prepares this thread; later calls do nothing. */
export async function initXxh64(): Promise<void> {
  if (engine !== undefined) return;
  // Not every start comes so far that it is needed.
  const create = createRequire(import.meta.url)(MODULE) as { createXXHash64: typeof createXXHash64 };
  engine ??= await create.createXXHash64();
}

function ready(): IHasher {
  if (engine === undefined) throw new Error('initXxh64() has not finished');
  return engine;
}

export class Xxh64 {
  readonly #saved: Saved = { state: undefined };

  update(bytes: Uint8Array): this {
    this.#activate().update(bytes);
    return this;
  }

  /** 16 hex digits of the canonical, big-endian form. Hashing may go on afterwards. */
  digestHex(): string {
    const hasher = this.#activate();
    const state = hasher.save();
    const digest = hasher.digest('hex');
    hasher.load(state);
    return digest;
  }

  #activate(): IHasher {
    const hasher = ready();
    if (owner !== this.#saved) {
      if (owner !== undefined) owner.state = hasher.save();
      if (this.#saved.state === undefined) hasher.init();
      else hasher.load(this.#saved.state);
      owner = this.#saved;
    }
    return hasher;
  }
}
