/** Damage to each kind of file: an error that says so, or the very same contents, never other data. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BorgError,
  CheckNeeded,
  IntegrityError,
  InvalidRepository,
  InvalidRepositoryConfig,
} from '../../src/errors.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import { createWholeFile, readWholeFile } from '../../src/store/whole-file.ts';
import { toHex } from '../../src/util/bytes.ts';
import { seededRandom } from '../random.ts';
import { dataOf, idOf, identity, testContext } from './fakes.ts';
import type { TestContext } from './fakes.ts';

type Contents = Map<string, string>;

/** Three transactions with deletions, the last in segments 4 and 5. */
async function prepare(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const repository = await createRepositoryIn(testContext(), store, { identity: identity() });
  for (let i = 0; i < 8; i++) await repository.put(idOf(i), dataOf(i, 20 + i));
  await repository.commit();
  await repository.put(idOf(0), dataOf('new 0'));
  await repository.delete(idOf(1));
  await repository.commit();
  await repository.put(idOf(9), dataOf(9));
  await repository.commit();
  await repository.commitNonceReservation(77n, undefined);
  await repository.close();
  return store;
}

function expected(): Contents {
  const contents: Contents = new Map();
  for (const i of [2, 3, 4, 5, 6, 7, 9]) contents.set(toHex(idOf(i)), toHex(dataOf(i, i < 8 ? 20 + i : 50)));
  contents.set(toHex(idOf(0)), toHex(dataOf('new 0')));
  return contents;
}

function replaceFile(store: MemoryStore, path: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const bytes = change(Uint8Array.from(readWholeFile(store, path, 1e6)));
  store.removeFile(path);
  createWholeFile(store, path, bytes);
}

/** What a reader gets: all objects, or the first error. */
async function readAll(
  store: MemoryStore,
  context: TestContext = testContext(),
  options: { lock?: boolean } = {},
): Promise<Contents | Error> {
  try {
    await using repository = await openRepositoryIn(context, store, { identity: identity(), ...options });
    const contents: Contents = new Map();
    for (const id of await repository.list()) contents.set(toHex(id), toHex(await repository.get(id)));
    return contents;
  } catch (error) {
    return error as Error;
  }
}

async function write(store: MemoryStore): Promise<void> {
  await using repository = await openRepositoryIn(testContext(), store, {
    exclusive: true,
    identity: identity(),
  });
  await repository.put(idOf('later'), dataOf('later'));
  await repository.commit({ compact: true, threshold: 0 });
}

const flip = (at: number) => (bytes: Uint8Array) => {
  bytes[at]! ^= 0x21;
  return bytes;
};

describe('damage to what can be rebuilt', () => {
  const kinds: [
    path: string,
    change: string,
    damages: (size: number) => ((bytes: Uint8Array) => Uint8Array)[],
  ][] = [];
  for (const path of ['index.5', 'hints.5', 'integrity.5']) {
    kinds.push(
      [path, 'flipped bytes', (size) => places(size, 60).map(flip)],
      [path, 'truncation', (size) => places(size, 20).map((at) => (bytes) => bytes.subarray(0, at))],
      [path, 'zeros', () => [(bytes) => bytes.fill(0)]],
      [path, 'more bytes', () => [(bytes) => Buffer.concat([bytes, new Uint8Array(40)])]],
    );
  }
  for (const [path, change, damages] of kinds) {
    it(`${change} in ${path}: reading and writing go on with the same contents`, async () => {
      const base = await prepare();
      for (const damage of damages(base.stat(path)!.sizeBytes)) {
        const store = base.afterCrash(KEEP_UNSYNCED);
        replaceFile(store, path, damage);
        const writer = store.afterCrash(KEEP_UNSYNCED);
        assert.deepEqual(await readAll(store), expected());
        await write(writer);
        const after = expected().set(toHex(idOf('later')), toHex(dataOf('later')));
        assert.deepEqual(await readAll(writer), after);
      }
    });
  }

  for (const paths of [['index.5'], ['hints.5'], ['integrity.5'], ['index.5', 'hints.5', 'integrity.5']]) {
    it(`the loss of ${paths.join(', ')}: reading and writing go on with the same contents`, async () => {
      const store = await prepare();
      for (const path of paths) store.removeFile(path);
      const writer = store.afterCrash(KEEP_UNSYNCED);
      assert.deepEqual(await readAll(store), expected());
      await write(writer);
      const after = expected().set(toHex(idOf('later')), toHex(dataOf('later')));
      assert.deepEqual(await readAll(writer), after);
    });
  }

  it('is told to the user, and repaired once', async () => {
    const store = await prepare();
    replaceFile(store, 'index.5', flip(100));
    const context = testContext();
    assert.deepEqual(await readAll(store, context), expected());
    assert.equal(context.reporter.lines.length, 2);
    assert.match(
      context.reporter.lines[0]!,
      /warning: Repository index missing or corrupted, trying to recover/,
    );
    assert.match(context.reporter.lines[1]!, /warning: Replaying segments/);
    const again = testContext();
    assert.deepEqual(await readAll(store, again), expected());
    assert.deepEqual(again.reporter.lines, []);
  });

  it('is left as it is by a reader without a lock, who rebuilds for himself', async () => {
    const store = await prepare();
    replaceFile(store, 'index.5', flip(100));
    const before = readWholeFile(store, 'index.5', 1e6);
    assert.deepEqual(await readAll(store, testContext(), { lock: false }), expected());
    assert.deepEqual(readWholeFile(store, 'index.5', 1e6), before);
  });
});

describe('damage to segments', () => {
  it('a flipped byte anywhere gives an error, or the right data of other objects', async () => {
    const base = await prepare();
    const right = expected();
    let errors = 0;
    for (let segment = 0; segment <= 5; segment++) {
      const path = `data/0/${segment}`;
      for (const at of places(base.stat(path)!.sizeBytes, 120)) {
        const store = base.afterCrash(KEEP_UNSYNCED);
        replaceFile(store, path, flip(at));
        errors += await checkEachObject(store, right, `segment ${segment} offset ${at}`);
      }
    }
    assert.ok(errors > 100, `only ${errors} errors were noticed`);
  });

  it('a segment cut anywhere, emptied or removed gives an error, or the right data of other objects', async () => {
    const base = await prepare();
    for (let segment = 0; segment <= 5; segment++) {
      const path = `data/0/${segment}`;
      for (const at of places(base.stat(path)!.sizeBytes, 30)) {
        const store = base.afterCrash(KEEP_UNSYNCED);
        replaceFile(store, path, (bytes) => bytes.subarray(0, at));
        await checkEachObject(store, expected(), `segment ${segment} cut at ${at}`);
      }
    }
    const store = base.afterCrash(KEEP_UNSYNCED);
    store.removeFile('data/0/0');
    await checkEachObject(store, expected(), 'segment 0 removed');
  });

  it('a damaged last COMMIT, known to the index, stops everybody before its transaction is removed', async () => {
    const store = await prepare();
    replaceFile(store, 'data/0/5', flip(12));
    assert.ok((await readAll(store)) instanceof CheckNeeded);
    await assert.rejects(write(store), CheckNeeded);
    assert.ok(store.stat('data/0/4') !== undefined);
  });

  it('the loss of all segments is beyond a rebuild', async () => {
    const store = await prepare();
    for (let segment = 0; segment <= 5; segment++) store.removeFile(`data/0/${segment}`);
    const result = await readAll(store);
    assert.ok(result instanceof CheckNeeded);
    assert.match(result.message, /beyond repair/);
  });

  it('removal of the last transactions goes back to the state before them, and says so', async () => {
    const store = await prepare();
    for (const segment of [2, 3, 4, 5]) store.removeFile(`data/0/${segment}`);
    const context = testContext();
    const contents = await readAll(store, context);
    assert.ok(contents instanceof Map, contents instanceof Error ? contents.message : '');
    assert.equal(contents.size, 8);
    assert.equal(contents.get(toHex(idOf(0))), toHex(dataOf(0, 20)));
    const said = 'warning: The segments of the last transaction (5) are missing: going back to transaction 1';
    assert.ok(context.reporter.lines.includes(said), context.reporter.lines.join());
  });

  it('a damaged entry stops a rebuild', async () => {
    const store = await prepare();
    replaceFile(store, 'data/0/0', flip(100));
    store.removeFile('index.5');
    assert.ok((await readAll(store)) instanceof IntegrityError);
  });

  it('a damaged entry stops a compaction, which removes nothing', async () => {
    const store = await prepare();
    replaceFile(store, 'data/0/0', flip(store.stat('data/0/0')!.sizeBytes - 1));
    await assert.rejects(write(store), IntegrityError);
    assert.ok(store.stat('data/0/0') !== undefined);
    const repository = await openRepositoryIn(testContext(), store, { identity: identity() });
    assert.deepEqual(await repository.get(idOf(2)), dataOf(2, 22));
    await repository.close();
  });
});

/** Each object is read right, or with an error that says what is wrong. Returns the number of errors. */
async function checkEachObject(store: MemoryStore, right: Contents, where: string): Promise<number> {
  let errors = 0;
  try {
    await using repository = await openRepositoryIn(testContext(), store, { identity: identity() });
    const ids = (await repository.list()).map(toHex).toSorted();
    assert.deepEqual(ids, [...right.keys()].toSorted(), where);
    for (const id of await repository.list()) {
      try {
        assert.equal(toHex(await repository.get(id)), right.get(toHex(id)), where);
      } catch (error) {
        if (!(error instanceof IntegrityError)) throw error;
        errors++;
      }
    }
  } catch (error) {
    if (!(error instanceof CheckNeeded || error instanceof IntegrityError)) throw error;
    errors++;
  }
  return errors;
}

describe('damage to small files', () => {
  const table: [name: string, path: string, text: string | undefined, error: new () => BorgError][] = [
    ['no config', 'config', undefined, InvalidRepository],
    ['an empty config', 'config', '', InvalidRepositoryConfig],
    ['a config of zeros', 'config', '\0'.repeat(200), InvalidRepositoryConfig],
    ['a config of another program', 'config', '[core]\nbare = true\n', InvalidRepositoryConfig],
  ];
  for (const [name, path, text, error] of table) {
    it(`${name} is refused`, async () => {
      const store = await prepare();
      store.removeFile(path);
      if (text !== undefined) createWholeFile(store, path, new TextEncoder().encode(text));
      const result = await readAll(store);
      assert.ok(result instanceof error);
      assert.deepEqual(
        store.list('').filter((entry) => entry.name.startsWith('lock')),
        [],
        'the lock is released',
      );
    });
  }

  for (const text of ['', 'x', '0000000000000', '-000000000000001', '00000000000000zz']) {
    it(`a nonce file of ${JSON.stringify(text)} is refused, never guessed`, async () => {
      const store = await prepare();
      replaceFile(store, 'nonce', () => new TextEncoder().encode(text));
      await using repository = await openRepositoryIn(testContext(), store, {
        exclusive: true,
        identity: identity(),
      });
      await assert.rejects(repository.getFreeNonce(), /invalid nonce file/);
      await assert.rejects(repository.commitNonceReservation(100n, 77n), /invalid nonce file/);
    });
  }
});

/** About `count` places in a file: its start, its end, and some between. */
function places(sizeBytes: number, count: number): number[] {
  const random = seededRandom(sizeBytes);
  const chosen = new Set<number>();
  for (let at = 0; at < Math.min(sizeBytes, count / 3); at++) chosen.add(at).add(sizeBytes - 1 - at);
  while (chosen.size < Math.min(sizeBytes, count)) chosen.add(random.integer(sizeBytes));
  return [...chosen];
}
