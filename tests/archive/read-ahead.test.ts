import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fetched } from '../../src/archive/object-pages.ts';
import { ReadAhead, type ReadAheadBounds } from '../../src/archive/read-ahead.ts';
import type { OpenedPart } from '../../src/pipeline/object-opener.ts';
import type { SealedInput } from '../../src/pipeline/open-batch.ts';

/** Answers when it is told to, and counts what was not released. */
class ManualOpener {
  readonly capacity: number;
  readonly batches: number[] = [];
  held = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #isManual: boolean;

  constructor({ capacity = 4, isManual = false } = {}) {
    this.capacity = capacity;
    this.#isManual = isManual;
  }

  /** In parts of two, between two empty ones; what is sealed as 0xff is damaged. */
  async open(objects: readonly SealedInput[]): Promise<OpenedPart> {
    this.batches.push(objects.length);
    const plaintexts = objects.map(({ sealed }) => {
      assert.ok(sealed instanceof Uint8Array);
      return sealed[0] === 0xff ? undefined : sealed;
    });
    if (this.#isManual) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#part(plaintexts, 0, 0);
  }

  answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #part(plaintexts: readonly (Uint8Array | undefined)[], from: number, to: number): OpenedPart {
    this.held += 1;
    const next =
      from < plaintexts.length ? Promise.resolve().then(() => this.#part(plaintexts, to, to + 2)) : undefined;
    let isReleased = false;
    const release = () => {
      assert.ok(!isReleased, 'released once');
      isReleased = true;
      this.held -= 1;
    };
    return { plaintexts: plaintexts.slice(from, to), next, release };
  }
}

function object(number: number, { sizeBytes = 1, damaged = false } = {}): Fetched<number> {
  return {
    about: number,
    id: Uint8Array.of(number),
    sealed: new Uint8Array(sizeBytes).fill(damaged ? 0xff : number),
  };
}

function* objects(count: number, sizeBytes = 1): Generator<Fetched<number>> {
  for (let number = 0; number < count; number++) yield object(number, { sizeBytes });
}

function* failing<T>(source: Iterable<T>): Generator<T> {
  yield* source;
  throw new Error('no more');
}

/** A source that counts what was asked of it, and waits where a promise comes. */
class CountingSource implements AsyncIterator<Fetched<number>> {
  asked = 0;
  readonly #source: Iterator<Fetched<number> | Promise<Fetched<number>>>;

  constructor(source: Iterable<Fetched<number> | Promise<Fetched<number>>>) {
    this.#source = source[Symbol.iterator]();
  }

  async next(): Promise<IteratorResult<Fetched<number>>> {
    this.asked += 1;
    const next = this.#source.next();
    return next.done === true ? { done: true, value: undefined } : { value: await next.value };
  }
}

function readAhead(
  source: Iterable<Fetched<number> | Promise<Fetched<number>>>,
  opener = new ManualOpener(),
  bounds: Partial<ReadAheadBounds> = { batchEntries: 5 },
) {
  const counting = new CountingSource(source);
  return { reading: new ReadAhead(counting, opener, bounds), source: counting, opener };
}

/** Until all that can go on without being told has done so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('ReadAhead gives all in order, with damaged objects and what only keeps its place', async () => {
  const missing: Fetched<number> = { about: 3, id: Uint8Array.of(3) };
  const { reading, opener } = readAhead([
    { about: 0 },
    object(1),
    object(2, { damaged: true }),
    missing,
    object(4),
    ...Array.from({ length: 7 }, (_, index) => ({ about: 5 + index })),
    object(12),
  ]);
  const seen: [number, number | undefined][] = [];
  for await (const { about, plaintext } of reading) seen.push([about, plaintext?.[0]]);
  const withObject = new Set([1, 4, 12]);
  const expected = Array.from({ length: 13 }, (_, number) => [
    number,
    withObject.has(number) ? number : undefined,
  ]);
  assert.deepEqual(seen, expected);
  assert.equal(opener.held, 0);
  assert.deepEqual(opener.batches, [3, 1], 'a batch without objects goes to no thread');
});

test('ReadAhead gives nothing where nothing comes', async () => {
  for await (const _ of readAhead([]).reading) assert.fail();
});

test('ReadAhead takes so many batches ahead as keep the threads busy, and goes on while they are taken', async () => {
  const { reading, source } = readAhead(objects(100), new ManualOpener({ capacity: 3 }));
  const entries = reading[Symbol.asyncIterator]();
  await entries.next();
  await settled();
  assert.equal(source.asked, 15);
  for (let taken = 1; taken < 5; taken++) await entries.next();
  await settled();
  assert.equal(source.asked, 15, 'the first batch is still held');
  await entries.next();
  await settled();
  assert.equal(source.asked, 20);
  await entries.return();
});

test('ReadAhead takes no more bytes ahead than its bounds, but for the last batch', async () => {
  const bounds = { batchBytes: 100, aheadBytes: 250 };
  const { reading, source, opener } = readAhead(
    objects(100, 40),
    new ManualOpener({ capacity: 100 }),
    bounds,
  );
  const entries = reading[Symbol.asyncIterator]();
  await entries.next();
  await settled();
  // Three objects make a batch of 120.
  assert.deepEqual(opener.batches, [3, 3, 3]);
  assert.equal(source.asked, 9);
  await entries.return();
});

test('ReadAhead gives what is opened while the source has nothing yet', async () => {
  const later = Promise.withResolvers<Fetched<number>>();
  const { reading } = readAhead([...objects(5), later.promise]);
  const entries = reading[Symbol.asyncIterator]();
  for (let number = 0; number < 5; number++) assert.equal((await entries.next()).value?.about, number);
  const last = entries.next();
  later.resolve(object(5));
  assert.equal((await last).value?.about, 5);
  assert.equal((await entries.next()).done, true);
});

test('ReadAhead throws what the source throws, after all that came before it', async () => {
  const { reading, opener } = readAhead(failing(objects(12)));
  const seen: number[] = [];
  const read = async () => {
    for await (const { about } of reading) seen.push(about);
  };
  await assert.rejects(read(), /^Error: no more$/);
  assert.deepEqual(
    seen,
    Array.from({ length: 12 }).map((_, index) => index),
  );
  assert.equal(opener.held, 0);
});

test('ReadAhead throws where the threads fail', async () => {
  const opener = { capacity: 4, open: () => Promise.reject(new Error('a thread ended')) };
  const reading = new ReadAhead(new CountingSource(objects(30)), opener, { batchEntries: 5 });
  await assert.rejects(async () => {
    for await (const _ of reading) assert.fail();
  }, /^Error: a thread ended$/);
});

test('ReadAhead gives back what is held when it is left early, and asks no more', async () => {
  const { reading, source, opener } = readAhead(objects(100), new ManualOpener({ capacity: 4 }));
  let count = 0;
  for await (const _ of reading) if (++count === 8) break;
  await settled();
  assert.equal(opener.held, 0);
  const { asked } = source;
  await settled();
  assert.equal(source.asked, asked);
});

test('ReadAhead gives back what is opened after it was left', async () => {
  const { reading, opener } = readAhead(objects(100), new ManualOpener({ isManual: true }));
  const entries = reading[Symbol.asyncIterator]();
  const first = entries.next();
  await settled();
  opener.answer();
  assert.equal((await first).value?.about, 0);
  await settled();
  await entries.return();
  opener.answer();
  await settled();
  await settled();
  assert.equal(opener.held, 0);
});

test('ReadAhead can be left while its source hangs', async () => {
  const never = new Promise<Fetched<number>>(() => {});
  const { reading, opener } = readAhead([...objects(5), never]);
  for await (const { about } of reading) if (about === 4) break;
  await settled();
  assert.equal(opener.held, 0);
});
