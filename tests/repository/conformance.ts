/** What any Repository must do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { ObjectNotFound } from '../../src/errors.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { toHex } from '../../src/util/bytes.ts';
import { dataOf, idOf } from './fakes.ts';

export interface RepositoryFactory {
  /** A new, empty repository, to be written to. */
  create(): Promise<Repository>;
  /** The same one, after it was closed. `rebuild` first removes whatever could be made anew from the log. */
  reopen(repository: Repository, options?: { rebuild?: boolean }): Promise<Repository>;
  /** How many random sequences of operations to try. */
  readonly modelRuns: number;
}

export function repositoryConformance(name: string, factory: RepositoryFactory): void {
  describe(`${name} as a repository`, () => {
    it('get() gives what put() stored, before and after commit() and reopening', async () => {
      let repository = await factory.create();
      for (const size of [0, 1, 100, 5000, 300_000, 3_000_000])
        await repository.put(idOf(size), dataOf(size, size));
      const check = async () => {
        for (const size of [3_000_000, 0, 300_000, 1, 5000, 100]) {
          assert.deepEqual(await repository.get(idOf(size)), dataOf(size, size));
        }
      };
      await check();
      await repository.commit();
      await check();
      repository = await factory.reopen(repository);
      await check();
      await repository.close();
    });

    it('put() has taken the bytes when its promise settles', async () => {
      await using repository = await factory.create();
      const data = dataOf(1);
      await repository.put(idOf(1), data);
      data.fill(0);
      assert.deepEqual(await repository.get(idOf(1)), dataOf(1));
    });

    it('put() replaces', async () => {
      let repository = await factory.create();
      await repository.put(idOf(1), dataOf('old'));
      await repository.put(idOf(1), dataOf('new'));
      await repository.commit();
      await repository.put(idOf(1), dataOf('newer'));
      assert.equal(await repository.count(), 1);
      await repository.commit();
      repository = await factory.reopen(repository);
      assert.deepEqual(await repository.get(idOf(1)), dataOf('newer'));
      await repository.close();
    });

    it('get(), delete() and getMany() throw ObjectNotFound for a missing object', async () => {
      await using repository = await factory.create();
      await repository.put(idOf(1), dataOf(1));
      await assert.rejects(repository.get(idOf(2)), (error) => {
        assert.ok(error instanceof ObjectNotFound);
        assert.equal(error.args[0], toHex(idOf(2)));
        return true;
      });
      await assert.rejects(repository.delete(idOf(2)), ObjectNotFound);
      const got: Uint8Array[] = [];
      await assert.rejects(async () => {
        for await (const data of repository.getMany([idOf(1), idOf(2), idOf(1)])) got.push(data);
      }, ObjectNotFound);
      assert.deepEqual(got, [dataOf(1)]);
    });

    it('getMany() gives the objects in the order that was asked for', async () => {
      await using repository = await factory.create();
      for (let i = 0; i < 300; i++) await repository.put(idOf(i), dataOf(i, 10 + 37 * i));
      await repository.commit();
      const orders = {
        ascending: Array.from({ length: 300 }, (_, i) => i),
        descending: Array.from({ length: 300 }, (_, i) => 299 - i),
        repeated: [5, 5, 6, 7, 5, 299, 299],
        skipping: Array.from({ length: 60 }, (_, i) => 5 * i),
        shuffled: Array.from({ length: 300 }, (_, i) => (i * 7919) % 300),
      };
      for (const [order, numbers] of Object.entries(orders)) {
        let next = 0;
        for await (const data of repository.getMany(numbers.map((i) => idOf(i)))) {
          const i = numbers[next++]!;
          assert.deepEqual(data, dataOf(i, 10 + 37 * i), `${order}: ${i}`);
        }
        assert.equal(next, numbers.length);
      }
    });

    it('has() and count() know what is there', async () => {
      await using repository = await factory.create();
      assert.equal(await repository.count(), 0);
      await repository.put(idOf(1), dataOf(1));
      await repository.put(idOf(2), dataOf(2));
      await repository.delete(idOf(1));
      assert.deepEqual([await repository.has(idOf(1)), await repository.has(idOf(2))], [false, true]);
      assert.equal(await repository.count(), 1);
    });

    it('list() gives every id once, in pieces too', async () => {
      await using repository = await factory.create();
      for (let i = 0; i < 100; i++) await repository.put(idOf(i), dataOf(i));
      await repository.commit();
      const whole = await repository.list();
      assert.equal(new Set(whole.map(toHex)).size, 100);
      const pieces: Uint8Array[] = [];
      for (;;) {
        const piece = await repository.list(33, pieces.at(-1));
        if (piece.length === 0) break;
        pieces.push(...piece);
      }
      assert.deepEqual(pieces, whole);
      const table = await repository.readTable?.();
      if (table !== undefined) assert.deepEqual([...table.keys()], whole);
    });

    it('scan() gives every id once, in the order of putting, in pieces too', async () => {
      await using repository = await factory.create();
      for (let i = 0; i < 20; i++) await repository.put(idOf(i), dataOf(i));
      await repository.put(idOf(3), dataOf(30));
      await repository.delete(idOf(4));
      await repository.commit();
      const left = Array.from({ length: 20 }, (_, i) => i).filter((i) => i !== 3 && i !== 4);
      const expected = [...left, 3].map((i) => toHex(idOf(i)));
      const pieces: string[] = [];
      for (let ids = await repository.scan(7); ids.length > 0; ids = await repository.scan(7, ids.at(-1))) {
        pieces.push(...ids.map(toHex));
      }
      assert.deepEqual(pieces, expected);
      assert.deepEqual((await repository.scan()).map(toHex), expected);
    });

    it('rollback() forgets all since the last commit', async () => {
      await using repository = await factory.create();
      await repository.put(idOf(0), dataOf(0));
      await repository.rollback();
      assert.equal(await repository.count(), 0);
      await repository.put(idOf(1), dataOf(1));
      await repository.commit();
      await repository.put(idOf(2), dataOf(2));
      await repository.delete(idOf(1));
      await repository.rollback();
      assert.deepEqual(await repository.list(), [idOf(1)]);
      assert.deepEqual(await repository.get(idOf(1)), dataOf(1));
    });

    it('close() forgets all since the last commit', async () => {
      let repository = await factory.create();
      await repository.put(idOf(1), dataOf(1));
      await repository.commit();
      await repository.put(idOf(2), dataOf(2));
      repository = await factory.reopen(repository);
      assert.deepEqual(await repository.list(), [idOf(1)]);
      await repository.close();
    });

    it('loadKey() gives what saveKey() saved, after reopening too', async () => {
      let repository = await factory.create();
      assert.equal(await repository.loadKey(), '');
      await repository.saveKey('first\nsecond line\nthird');
      assert.equal(await repository.loadKey(), 'first\nsecond line\nthird');
      repository = await factory.reopen(repository);
      assert.equal(await repository.loadKey(), 'first\nsecond line\nthird');
      await repository.saveKey('other');
      assert.equal(await repository.loadKey(), 'other');
      await repository.close();
    });

    it('commitNonceReservation() builds only on the last one', async () => {
      await using repository = await factory.create();
      assert.equal(await repository.getFreeNonce(), undefined);
      await repository.commitNonceReservation(2n ** 40n, undefined);
      assert.equal(await repository.getFreeNonce(), 2n ** 40n);
      await assert.rejects(repository.commitNonceReservation(5n, undefined), /mismatched previous state/);
      await assert.rejects(repository.commitNonceReservation(5n, 4n), /mismatched previous state/);
      await repository.commitNonceReservation(2n ** 64n - 1n, 2n ** 40n);
      assert.equal(await repository.getFreeNonce(), 2n ** 64n - 1n);
    });

    it('check() finds nothing wrong with what was committed', async () => {
      let repository = await factory.create();
      for (let i = 0; i < 20; i++) await repository.put(idOf(i), dataOf(i));
      await repository.commit();
      for (let i = 0; i < 20; i += 3) await repository.delete(idOf(i));
      await repository.put(idOf(1), dataOf('new'));
      await repository.commit({ compact: true });
      const { ok, finished, damage = [] } = await repository.check();
      assert.deepEqual({ ok, finished, damage }, { ok: true, finished: true, damage: [] });
      assert.deepEqual(await repository.get(idOf(1)), dataOf('new'));
      repository = await factory.reopen(repository);
      assert.equal((await repository.check({ repair: true })).ok, true);
      assert.equal(await repository.count(), 13);
      await repository.close();
    });

    it('id and location stay', async () => {
      let repository = await factory.create();
      const { id, idHex, location } = repository;
      assert.equal(toHex(id), idHex);
      assert.equal(id.length, 32);
      repository = await factory.reopen(repository);
      assert.deepEqual([repository.id, repository.location], [id, location]);
      await repository.close();
    });

    it('operations that are not waited for come out as if they were', async () => {
      await using repository = await factory.create();
      const work = [];
      for (let i = 0; i < 50; i++) work.push(repository.put(idOf(i), dataOf(i)));
      work.push(repository.commit({ compact: true }));
      for (let i = 50; i < 60; i++) work.push(repository.put(idOf(i), dataOf(i)));
      work.push(repository.commit());
      const [got] = await Promise.all([repository.get(idOf(3)), ...work]);
      assert.deepEqual(got, dataOf(3));
      assert.equal(await repository.count(), 60);
    });

    it('any sequence of operations comes out as in a map', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 60 }), (steps) => runModel(factory, steps)),
        {
          numRuns: factory.modelRuns,
        },
      );
    });
  });
}

type Step =
  | { kind: 'put'; key: number; size: number; version: number }
  | { kind: 'delete'; key: number }
  | { kind: 'commit' }
  | { kind: 'compact'; threshold: number }
  | { kind: 'rollback' }
  | { kind: 'reopen' }
  | { kind: 'rebuild' };

const key = fc.nat(7);
const operation: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key,
      size: fc.constantFrom(0, 7, 90, 700),
      version: fc.nat(1000),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'commit' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('compact' as const), threshold: fc.constantFrom(0, 0.1, 0.5) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'rollback' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'rebuild' } as const) },
);

async function runModel(factory: RepositoryFactory, steps: readonly Step[]): Promise<void> {
  let repository = await factory.create();
  let committed = new Map<number, Uint8Array>();
  let current = new Map<number, Uint8Array>();
  try {
    for (const step of steps) {
      switch (step.kind) {
        case 'put': {
          const data = dataOf(step.version, step.size);
          await repository.put(idOf(step.key), data);
          current.set(step.key, data);
          break;
        }
        case 'delete':
          if (current.delete(step.key)) await repository.delete(idOf(step.key));
          else await assert.rejects(repository.delete(idOf(step.key)), ObjectNotFound);
          break;
        case 'commit':
        case 'compact':
          await repository.commit(step.kind === 'commit' ? {} : { compact: true, threshold: step.threshold });
          committed = new Map(current);
          break;
        default:
          if (step.kind === 'rollback') await repository.rollback();
          else repository = await factory.reopen(repository, { rebuild: step.kind === 'rebuild' });
          current = new Map(committed);
      }
      await compareWithModel(repository, current);
    }
    repository = await factory.reopen(repository, { rebuild: true });
    await compareWithModel(repository, committed);
  } finally {
    await repository.close();
  }
}

async function compareWithModel(
  repository: Repository,
  model: ReadonlyMap<number, Uint8Array>,
): Promise<void> {
  assert.equal(await repository.count(), model.size);
  const ids = new Set((await repository.list()).map(toHex));
  for (let number = 0; number < 8; number++) {
    const data = model.get(number);
    assert.equal(ids.has(toHex(idOf(number))), data !== undefined);
    if (data === undefined) await assert.rejects(repository.get(idOf(number)), ObjectNotFound);
    else assert.deepEqual(await repository.get(idOf(number)), data);
  }
}
