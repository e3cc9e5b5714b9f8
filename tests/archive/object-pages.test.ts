import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fetched, fetchPages, type Wanted } from '../../src/archive/object-pages.ts';
import { ObjectNotFound } from '../../src/errors.ts';
import type { Repository } from '../../src/repository/repository.ts';

/** Gives every object but those of the numbers that are missing, and records what happens. */
class RecordingRepository {
  readonly events: string[] = [];
  open = 0;
  readonly #missing: ReadonlySet<number>;
  readonly #error: (number: number) => Error;

  constructor(
    missing: readonly number[] = [],
    error = (number: number): Error => new ObjectNotFound([`${number}`, 'here']),
  ) {
    this.#missing = new Set(missing);
    this.#error = error;
  }

  async *getMany(ids: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
    this.events.push(`ask ${ids.map(([number]) => number).join(' ')}`);
    this.open += 1;
    try {
      for (const [number] of ids) {
        await Promise.resolve();
        if (this.#missing.has(number!)) throw this.#error(number!);
        this.events.push(`give ${number}`);
        yield Uint8Array.of(number!);
      }
    } finally {
      this.open -= 1;
    }
  }
}

const id = (number: number): Wanted<string> => ({ about: `object ${number}`, id: Uint8Array.of(number) });
const place = (name: string): Wanted<string> => ({ about: name });

function fetch(
  repository: RecordingRepository,
  pages: Iterable<Wanted<string>[]> | AsyncIterable<Wanted<string>[]>,
  tolerates?: (error: unknown) => boolean,
): AsyncGenerator<Fetched<string>, void, undefined> {
  return fetchPages(repository as unknown as Repository, pages, tolerates);
}

function shown({ about, sealed, error }: Fetched<string>): string {
  if (error !== undefined) return `${about}: ${(error as Error).constructor.name}`;
  return sealed === undefined ? about : `${about} is ${sealed[0]}`;
}

function* failing<T>(pages: Iterable<T>): Generator<T> {
  yield* pages;
  throw new Error('no page');
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('fetchPages() gives what the pages want in its order, and what only keeps its place', async () => {
  const pages = [[place('a'), id(1), id(2)], [], [place('b')], [id(3), place('c'), place('d'), id(4)]];
  const seen = await Array.fromAsync(fetch(new RecordingRepository(), pages), shown);
  const expected = ['a', 'object 1 is 1', 'object 2 is 2', 'b', 'object 3 is 3', 'c', 'd', 'object 4 is 4'];
  assert.deepEqual(seen, expected);
});

test('fetchPages() asks for the next page while one is taken, and no further', async () => {
  const repository = new RecordingRepository();
  const source = fetch(repository, [[id(1), id(2)], [id(3), id(4)], [id(5)]]);
  await source.next();
  await settled();
  assert.deepEqual(repository.events, ['ask 1 2', 'give 1', 'ask 3 4', 'give 3']);
  await source.next();
  await source.next();
  await settled();
  assert.deepEqual(repository.events.slice(4), ['give 2', 'ask 5', 'give 5']);
  await source.return();
});

test('fetchPages() gives a page while the next one takes its time', async () => {
  const late = Promise.withResolvers<void>();
  async function* pages(): AsyncGenerator<Wanted<string>[]> {
    yield [id(1), id(2)];
    await late.promise;
    yield [id(3)];
  }
  const source = fetch(new RecordingRepository(), pages());
  for (const number of [1, 2]) assert.equal((await source.next()).value?.about, `object ${number}`);
  const last = source.next();
  late.resolve();
  assert.equal((await last).value?.about, 'object 3');
});

test('fetchPages() throws in its turn that an object is missing', async () => {
  const repository = new RecordingRepository([3]);
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const one of fetch(repository, [[id(1)], [id(2), id(3)], [id(4)]])) seen.push(shown(one));
  }, ObjectNotFound);
  assert.deepEqual(seen, ['object 1 is 1', 'object 2 is 2']);
  await settled();
  assert.equal(repository.open, 0);
});

test('fetchPages() gives tolerated errors in their places, and asks for the rest again', async () => {
  const repository = new RecordingRepository([1, 4, 5, 9]);
  const pages = [[id(1)], [id(2), id(4), place('a'), id(5), id(6)], [id(9), id(7)], [id(9)]];
  const seen = await Array.fromAsync(
    fetch(repository, pages, () => true),
    shown,
  );
  assert.deepEqual(seen, [
    'object 1: ObjectNotFound',
    'object 2 is 2',
    'object 4: ObjectNotFound',
    'a',
    'object 5: ObjectNotFound',
    'object 6 is 6',
    'object 9: ObjectNotFound',
    'object 7 is 7',
    'object 9: ObjectNotFound',
  ]);
  assert.equal(repository.open, 0);
});

test('fetchPages() throws what is not tolerated', async () => {
  const repository = new RecordingRepository([2], () => new RangeError('no'));
  const source = fetch(repository, [[id(1), id(2)]], (error) => error instanceof ObjectNotFound);
  await source.next();
  await assert.rejects(source.next(), RangeError);
});

test('fetchPages() throws what the pages throw, after the pages before', async () => {
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const one of fetch(new RecordingRepository(), failing([[id(1)], [id(2)]])))
      seen.push(shown(one));
  }, /^Error: no page$/);
  assert.deepEqual(seen, ['object 1 is 1', 'object 2 is 2']);
});

test('fetchPages() gives up what was asked for ahead when it is left early', async () => {
  const repository = new RecordingRepository();
  for await (const _ of fetch(repository, [[id(1), id(2)], [id(3), id(4)], [id(5)]])) break;
  await settled();
  assert.equal(repository.open, 0);
});
