/**
 * A repository as if it were far away: what is asked for comes back a round later, together with all that was asked for in
 * the meantime. Counts the rounds, and so what a command would wait for whatever the time that each takes.
 */
import type { Repository } from '../../src/repository/repository.ts';

/** Objects that are asked for before the first of them has come. */
const WINDOW_OBJECTS = 256;
/** What is sent without waiting for the answer, or does not go to the server. */
const IMMEDIATE: ReadonlySet<string | symbol> = new Set(['put', 'close', Symbol.asyncDispose]);

export class Rounds {
  count = 0;
  #next: PromiseWithResolvers<void> | undefined;

  /** Settles when all that can go on without an answer has done so. */
  async pass(): Promise<void> {
    if (this.#next === undefined) {
      const next = (this.#next = Promise.withResolvers<void>());
      setImmediate(() => {
        this.count += 1;
        this.#next = undefined;
        next.resolve();
      });
    }
    await this.#next.promise;
  }
}

/** The repository, with everything that goes to a server taking a round. */
export function farRepository(near: Repository, rounds: Rounds): Repository {
  return new Proxy(near, {
    get(_, name) {
      if (name === 'getMany') return (ids: Iterable<Uint8Array>) => getMany(near, ids, rounds);
      if (name === 'getPlaces') return undefined;
      const value: unknown = Reflect.get(near, name, near);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        if (!IMMEDIATE.has(name)) await rounds.pass();
        return await Reflect.apply(value, near, args);
      };
    },
  });
}

async function* getMany(
  near: Repository,
  ids: Iterable<Uint8Array>,
  rounds: Rounds,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = ids[Symbol.iterator]();
  const ahead: Promise<Uint8Array>[] = [];
  for (;;) {
    for (let next; ahead.length < WINDOW_OBJECTS && (next = source.next()).done !== true;) {
      const id = next.value;
      const object = rounds.pass().then(() => near.get(id));
      object.catch(() => {});
      ahead.push(object);
    }
    const object = ahead.shift();
    if (object === undefined) return;
    yield await object;
  }
}
