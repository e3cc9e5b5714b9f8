/**
 * Fetches objects page by page. The objects of a page are one long request, and that of the next page is under way while
 * this one is taken, so that the end of a page costs no round trip. What is to be known between the objects goes along
 * in its place.
 */
import type { Repository } from '../repository/repository.ts';
import { type ExpectedObject, releaseSealed, type Sealed, type Unread } from '../util/sealed.ts';

/** Where sealed objects come from. */
export type ObjectSource = Pick<Repository, 'get' | 'getMany' | 'getPlaces' | 'locate'>;

/** An object to fetch, or, without an id, something that only keeps its place. */
export interface Wanted<T> {
  readonly about: T;
  readonly id?: Uint8Array | undefined;
  /** See ExpectedObject. */
  readonly sizeBytes?: number | undefined;
}

export interface Fetched<T, S extends Unread = Uint8Array> extends Wanted<T> {
  /** The caller's, as the repository gives it. */
  readonly sealed?: S | undefined;
  /** Why there is no object. */
  readonly error?: unknown;
}

/** What a page holds at most. */
export const PAGE_ENTRIES = 1000;

export type Pages<T> = AsyncIterable<readonly Wanted<T>[]> | Iterable<readonly Wanted<T>[]>;

/** Pages of things, each with its objects behind it. Throws what `things` throws, after a page of what came before it. */
export async function* pagesOfEach<T>(
  things: AsyncIterable<T>,
  idsOf: (thing: T) => readonly Uint8Array[],
): AsyncGenerator<Wanted<T | undefined>[], void, undefined> {
  let page: Wanted<T | undefined>[] = [];
  try {
    for await (const thing of things) {
      page.push({ about: thing });
      for (const id of idsOf(thing)) {
        page.push({ about: undefined, id });
        if (page.length < PAGE_ENTRIES) continue;
        yield page;
        page = [];
      }
      if (page.length < PAGE_ENTRIES) continue;
      yield page;
      page = [];
    }
  } catch (error) {
    yield page;
    throw error;
  }
  yield page;
}

/**
 * What the pages want, in its order. Throws what the repository or the pages throw, after all that came before it; an
 * error that is tolerated is given in the object's place.
 */
export function fetchPages<T>(
  repository: ObjectSource,
  pages: Pages<T>,
  tolerates?: (error: unknown) => boolean,
): AsyncGenerator<Fetched<T>, void, undefined> {
  return fetchWith((ids) => repository.getMany(ids), pages, tolerates);
}

/** As fetchPages(), for readers that have other threads open what they get. */
export function fetchPlaces<T>(
  repository: ObjectSource,
  pages: Pages<T>,
  tolerates?: (error: unknown) => boolean,
): AsyncGenerator<Fetched<T, Sealed>, void, undefined> {
  return fetchWith<T, Sealed>((ids) => getPlaces(repository, ids), pages, tolerates);
}

/**
 * As fetchPlaces(), many at a time: a page as a whole, of which nothing was read yet, where the repository can say where
 * objects are, or one by one.
 */
export async function* fetchUnread<T>(
  repository: ObjectSource,
  pages: Pages<T>,
): AsyncGenerator<readonly Fetched<T, Unread>[], void, undefined> {
  if (repository.locate === undefined) {
    for await (const fetched of fetchPlaces(repository, pages)) yield [fetched];
    return;
  }
  for await (const page of pages) {
    const places = await repository.locate(page.filter(isObject));
    let placed = 0;
    const located: Fetched<T, Unread>[] = [];
    for (const wanted of page) {
      const { about, id } = wanted;
      if (id !== undefined && placed === (places?.length ?? 0)) break;
      located.push(id === undefined ? wanted : { about, id, sealed: places![placed++] });
    }
    yield located;
    if (located.length === page.length) continue;
    // What can't be located is read here, or said to be missing.
    for await (const fetched of fetchPlaces(repository, [page.slice(located.length)])) yield [fetched];
  }
}

function isObject<T>(wanted: Wanted<T>): wanted is Wanted<T> & ExpectedObject {
  return wanted.id !== undefined;
}

/** Where the objects are, as far as the repository can say it. */
export function getPlaces(repository: ObjectSource, ids: Iterable<Uint8Array>): AsyncIterable<Sealed> {
  return repository.getPlaces?.(ids) ?? repository.getMany(ids);
}

type Ask<S extends Sealed> = (ids: readonly Uint8Array[]) => AsyncIterable<S>;

async function* fetchWith<T, S extends Sealed>(
  ask: Ask<S>,
  pages: Pages<T>,
  tolerates: (error: unknown) => boolean = () => false,
): AsyncGenerator<Fetched<T, S>, void, undefined> {
  const source = Symbol.asyncIterator in pages ? pages[Symbol.asyncIterator]() : pages[Symbol.iterator]();
  const open = async (): Promise<Page<T, S> | undefined> => {
    const next = await source.next();
    return next.done === true ? undefined : new Page(ask, next.value);
  };
  let following = open();
  try {
    for (;;) {
      const page = await following;
      if (page === undefined) return;
      following = open();
      // Thrown in its turn; until then it must not count as nobody's.
      following.catch(() => {});
      try {
        yield* page.fetched(tolerates);
      } finally {
        page.close();
      }
    }
  } finally {
    // Whoever leaves early does not wait for what is under way.
    following.then((page) => page?.close()).catch(() => {});
    Promise.resolve(source.return?.()).catch(() => {});
  }
}

class Page<T, S extends Sealed> {
  readonly #askFor: Ask<S>;
  readonly #wanted: readonly Wanted<T>[];
  #objects: AsyncIterator<S> | undefined;
  /** Asked for ahead. */
  #first: Promise<IteratorResult<S>> | undefined;

  constructor(askFor: Ask<S>, wanted: readonly Wanted<T>[]) {
    this.#askFor = askFor;
    this.#wanted = wanted;
    this.#ask(0);
  }

  async *fetched(tolerates: (error: unknown) => boolean): AsyncGenerator<Fetched<T, S>, void, undefined> {
    for (const [index, wanted] of this.#wanted.entries()) {
      if (wanted.id === undefined) {
        yield wanted;
        continue;
      }
      let fetched: Fetched<T, S>;
      try {
        fetched = { about: wanted.about, id: wanted.id, sealed: await this.#next() };
      } catch (error) {
        if (!tolerates(error)) throw error;
        this.#ask(index + 1);
        fetched = { about: wanted.about, id: wanted.id, error };
      }
      yield fetched;
    }
  }

  close(): void {
    this.#first?.then(({ done, value }) => done !== true && releaseSealed(value)).catch(() => {});
    this.#objects?.return?.().catch(() => {});
  }

  async #next(): Promise<S> {
    const next = await (this.#first ?? this.#objects!.next());
    this.#first = undefined;
    if (next.done === true) throw new Error('the repository gave fewer objects than asked for');
    return next.value;
  }

  #ask(from: number): void {
    const ids: Uint8Array[] = [];
    for (let index = from; index < this.#wanted.length; index++) {
      const { id } = this.#wanted[index]!;
      if (id !== undefined) ids.push(id);
    }
    this.#objects = ids.length === 0 ? undefined : this.#askFor(ids)[Symbol.asyncIterator]();
    this.#first = this.#objects?.next();
    this.#first?.catch(() => {});
  }
}
