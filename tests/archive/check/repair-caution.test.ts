/** A repair deletes only what it knows to be lost or not needed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkArchives } from '../../../src/archive/check/check-archives.ts';
import { Archive } from '../../../src/archive/archive.ts';
import { openLocalRepository } from '../../../src/archive/session.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { equalBytes, toHex } from '../../../src/util/bytes.ts';
import { noise } from '../../noise.ts';
import { Scratch } from '../scratch.ts';

async function threeArchives(): Promise<Scratch> {
  const scratch = new Scratch();
  await scratch.init('none');
  for (const [number, name] of ['one', 'two', 'three'].entries()) {
    scratch.write('source/file', noise(3000, number));
    await scratch.create(name);
  }
  return scratch;
}

async function ids(scratch: Scratch): Promise<string[]> {
  await using repository = await openLocalRepository(scratch.context(), scratch.location, {});
  return (await repository.list()).map(toHex).toSorted();
}

/** The repository, which gives this object with a changed bit the first time that it is read. */
function failingOnce(repository: Repository, id: Uint8Array): Repository {
  let isFirst = true;
  const damaged = (one: Uint8Array, sealed: Uint8Array): Uint8Array => {
    if (!isFirst || !equalBytes(one, id)) return sealed;
    isFirst = false;
    const copy = Uint8Array.from(sealed);
    copy[copy.length - 1]! ^= 1;
    return copy;
  };
  const getMany = async function* (many: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for (const one of many) yield damaged(one, await repository.get(one));
  };
  return new Proxy(repository, {
    get(target, name) {
      if (name === 'getMany') return getMany;
      if (name === 'getPlaces' || name === 'scanStretches') return undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

test('a repair of some archives leaves the objects of others alone', async () => {
  using scratch = await threeArchives();
  const before = await ids(scratch);
  for (const options of [{ selection: { last: 1 } }, { selection: { glob: 'o*' } }, { archive: 'two' }]) {
    const ctx = scratch.context();
    await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
    await checkArchives(ctx, repository, { repair: true, ...options });
    await repository.close();
    assert.deepEqual(await ids(scratch), before);
  }
});

test('a repair deletes nothing that is right when it is read again', async () => {
  using scratch = await threeArchives();
  const before = await ids(scratch);
  const [file] = (await scratch.items('one')).filter(({ chunks }) => chunks !== undefined);
  const ctx = scratch.context();
  await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  const flaky = failingOnce(repository, file!.chunks![0]!.id);
  const { damage } = await checkArchives(ctx, flaky, { repair: true, verifyData: true });
  await repository.close();
  assert.ok(ctx.reporter.logged.some((line) => line.includes('not deleted, did not consistently fail')));
  assert.ok(damage.isEmpty);
  assert.deepEqual(await ids(scratch), before);
});

test('a repair changes nothing where reading an archive twice gives two things', async () => {
  using scratch = await threeArchives();
  const before = await ids(scratch);
  const ctx = scratch.context();
  await using session = await scratch.open();
  const { items } = (await Archive.open(session, 'two')).metadata;
  await session.close();
  await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  const flaky = failingOnce(repository, items[0]!);
  await assert.rejects(checkArchives(ctx, flaky, { repair: true }), /reading it again gives something else/);
  assert.deepEqual((await repository.list()).map(toHex).toSorted(), before);
  await repository.close();
  assert.deepEqual(await ids(scratch), before);
});
