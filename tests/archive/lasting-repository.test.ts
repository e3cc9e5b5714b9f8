import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LastingOptions, LastingRepository } from '../../src/archive/lasting-repository.ts';
import { ConnectionClosed, ConnectionClosedWithHint, ObjectNotFound } from '../../src/errors.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { RecordingReporter } from './scratch.ts';

const IDS = [1, 2, 3, 4, 5].map((byte) => Uint8Array.of(byte));

/** A handle that gives ids as objects, and after so many of them an error. */
class Handle {
  readonly idHex: string;
  readonly location = 'somewhere';
  readonly asked: number[] = [];
  closed = 0;
  #left: number;
  readonly #error: () => Error;

  constructor(left = Infinity, error: () => Error = () => new ConnectionClosed(), idHex = 'id') {
    this.#left = left;
    this.#error = error;
    this.idHex = idHex;
  }

  get(id: Uint8Array): Promise<Uint8Array> {
    this.asked.push(id[0]!);
    return this.#left-- > 0 ? Promise.resolve(id) : Promise.reject(this.#error());
  }

  async *getMany(ids: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for (const id of ids) yield await this.get(id);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

function lasting(first: Handle, reopen?: () => Promise<Handle>, options: LastingOptions = {}) {
  const reporter = new RecordingReporter();
  const again = reopen as unknown as () => Promise<Repository>;
  const repository = new LastingRepository(first as unknown as Repository, reporter, {
    ...options,
    ...(reopen === undefined ? {} : { reopen: again }),
  });
  return { repository, reporter };
}

function missing(): ObjectNotFound {
  return new ObjectNotFound(['00', 'somewhere']);
}

async function numbers(source: AsyncIterable<Uint8Array>): Promise<number[]> {
  const found: number[] = [];
  for await (const [byte] of source) found.push(byte!);
  return found;
}

test('LastingRepository gives objects of a new handle when the old one is lost, each once and in order', async () => {
  const first = new Handle(2);
  const second = new Handle(2);
  const third = new Handle();
  const next = [second, third];
  const { repository, reporter } = lasting(first, () => Promise.resolve(next.shift()!));
  assert.deepEqual(await numbers(repository.getMany(IDS)), [1, 2, 3, 4, 5]);
  assert.deepEqual([first.asked, second.asked, third.asked], [[1, 2, 3], [3, 4, 5], [5]]);
  assert.deepEqual([first.closed, second.closed, third.closed], [1, 1, 0]);
  assert.deepEqual((await repository.get(IDS[0]!))[0], 1);
  assert.equal(reporter.logged.filter((line) => line.startsWith('warning')).length, 2);
  await repository.close();
  assert.equal(third.closed, 1);
});

test('LastingRepository opens one handle for all who find the old one lost', async () => {
  let opened = 0;
  const { repository } = lasting(new Handle(0, () => new ConnectionClosedWithHint(['?'])), () => {
    opened++;
    return Promise.resolve(new Handle());
  });
  await Promise.all(IDS.map((id) => repository.get(id)));
  assert.equal(opened, 1);
});

test('LastingRepository leaves errors that are no loss to the caller', async () => {
  const { repository } = lasting(new Handle(0, missing), () => Promise.reject(new Error('not wanted')));
  await assert.rejects(repository.get(IDS[0]!), ObjectNotFound);
  await assert.rejects(numbers(repository.getMany(IDS)), ObjectNotFound);
});

test('LastingRepository says that it is out of reach where it can’t be opened again, and rests between tries', async () => {
  let opened = 0;
  const fail = () => {
    opened++;
    return Promise.reject(new Error('no route'));
  };
  const { repository, reporter } = lasting(new Handle(0), fail, { firstDelayMs: 1_000_000 });
  const outOfReach = { name: 'RepositoryOutOfReach', message: 'no route' };
  for (let tries = 0; tries < 3; tries++) await assert.rejects(repository.get(IDS[0]!), outOfReach);
  assert.equal(opened, 1);
  assert.match(reporter.logged.at(-1)!, /^warning: The repository can't be opened again: no route$/);
  const eager = lasting(new Handle(0), fail, { firstDelayMs: 0 });
  for (let tries = 0; tries < 3; tries++) await assert.rejects(eager.repository.get(IDS[0]!), outOfReach);
  assert.equal(opened, 4);
});

test('LastingRepository tries again after an opening that failed at once', async () => {
  let fails = true;
  const open = () => {
    if (fails) throw new Error('at once');
    return Promise.resolve(new Handle());
  };
  const { repository } = lasting(new Handle(0), open, { firstDelayMs: 0 });
  await assert.rejects(repository.get(IDS[0]!), /at once/);
  fails = false;
  assert.equal((await repository.get(IDS[0]!))[0], 1);
});

test('LastingRepository does not open without end what is lost as soon as it is used', async () => {
  let opened = 0;
  const open = () => {
    opened++;
    return Promise.resolve(new Handle(0));
  };
  const { repository } = lasting(new Handle(0), open, { firstDelayMs: 1_000_000 });
  for (let tries = 0; tries < 5; tries++) {
    await assert.rejects(repository.get(IDS[0]!), { name: 'RepositoryOutOfReach' });
  }
  assert.equal(opened, 1);
});

test('LastingRepository has nobody wait for long, and uses what was opened in the end', async () => {
  const opening = Promise.withResolvers<Handle>();
  const { repository } = lasting(new Handle(0), () => opening.promise, { patienceMs: 1 });
  await assert.rejects(repository.get(IDS[0]!), { name: 'RepositoryOutOfReach' });
  await assert.rejects(repository.get(IDS[0]!), { name: 'RepositoryOutOfReach' });
  opening.resolve(new Handle());
  await opening.promise;
  assert.deepEqual((await repository.get(IDS[1]!))[0], 2);
});

test('LastingRepository takes no other repository, and none without a way to open it again', async () => {
  const other = new Handle(Infinity, undefined, 'another');
  const { repository } = lasting(new Handle(0), () => Promise.resolve(other), { firstDelayMs: 1_000_000 });
  await assert.rejects(repository.get(IDS[0]!), /another repository in its place/);
  assert.deepEqual([other.asked, other.closed], [[], 1]);
  await assert.rejects(lasting(new Handle(0)).repository.get(IDS[0]!), { name: 'RepositoryOutOfReach' });
});

test('LastingRepository gives nothing after close(), and closes what is being opened', async () => {
  const opening = Promise.withResolvers<Handle>();
  const late = new Handle();
  const { repository } = lasting(new Handle(0), () => opening.promise);
  const waiting = repository.get(IDS[0]!);
  waiting.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  const closing = repository.close();
  opening.resolve(late);
  await closing;
  assert.equal(late.closed, 1);
  await waiting.catch(() => {});
  await assert.rejects(repository.get(IDS[0]!), /closed/);
});
