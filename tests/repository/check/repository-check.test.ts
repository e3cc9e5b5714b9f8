/** What a check finds, what a repair keeps, and that nothing gets worse. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import { CheckNeeded } from '../../../src/errors.ts';
import { openRepositoryIn } from '../../../src/repository/open-repository.ts';
import type { MemoryStore } from '../../../src/store/memory-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { readWholeFile } from '../../../src/store/whole-file.ts';
import { concatBytes, fromUtf8, toHex, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { dataOf, idOf, identity, testContext } from '../fakes.ts';
import { check, contentsOf, copyOf, edit, flip, placesOf, prepare, treeOf } from './sample.ts';
import type { Contents } from './sample.ts';

const segment = (number: number) => `data/0/${number}`;
const WRONG_CONFIG = /segments_per_dir = 2 wants it to be data\/1\/2/;
const base = await prepare();
const sound = await contentsOf(base);
const places = await placesOf(base);

/** What is left when these segments' bytes, or all of a segment, are gone. */
function without(lost: readonly { segment: number; offset?: number }[]): Contents {
  const left = new Map(sound);
  for (const place of places) {
    const isHit = lost.some(
      ({ segment: number, offset }) =>
        number === place.segment &&
        (offset === undefined || (offset >= place.offset && offset < place.offset + place.sizeBytes)),
    );
    if (isHit) left.delete(place.id);
  }
  return left;
}

/** After a repair, both kinds of check find nothing, and the objects are these (others may have come back). */
async function assertMended(
  store: MemoryStore,
  expected: Contents,
  comesBack: Contents = new Map(),
): Promise<void> {
  const again = await check(store);
  assert.equal(again.ok, true, again.lines.join('\n'));
  assert.deepEqual(again.damage, []);
  const repaired = await check(store, { repair: true });
  assert.deepEqual(repaired.damage, []);
  const contents = await contentsOf(store);
  for (const [id, data] of comesBack) if (contents.get(id) === data) contents.delete(id);
  for (const id of comesBack.keys()) expected.delete(id);
  assert.deepEqual(contents, expected);
}

interface DamageCase {
  readonly name: string;
  readonly damage: (store: Store) => void;
  /** What the check says first. */
  readonly text: RegExp;
  readonly left: Contents;
  /** Deleted or replaced objects that are there again, since what made them void is lost. */
  readonly comesBack?: Contents;
}

/** A segment of a COMMIT of which a crash has kept so many bytes. */
const torn = (keptBytes: number) => () => {
  const commit = new Uint8Array(17);
  commit.set(readWholeFile(base, segment(5), 17).subarray(0, keptBytes));
  return commit;
};

const old0: Contents = new Map([[toHex(idOf(0)), toHex(dataOf(0, 20))]]);
const old01: Contents = new Map([...old0, [toHex(idOf(1)), toHex(dataOf(1, 21))]]);
const at = (id: Uint8Array) => places.find((place) => place.id === toHex(id))!;
const third = at(idOf(3));

const cases: DamageCase[] = [
  ...(
    [
      ['crc', 0],
      ['size', 4],
      ['tag', 8],
      ['key', 20],
      ['data', 45],
    ] as const
  ).map(([what, offset]) => ({
    name: `a flipped byte in the ${what} of a PUT`,
    damage: (store: Store) => edit(store, segment(0), flip(third.offset + offset)),
    text: /^error: Data integrity error: .*\[segment 0, offset \d+\]/,
    left: without([{ segment: 0, offset: third.offset }]),
  })),
  {
    name: 'a damaged magic',
    damage: (store) => edit(store, segment(0), flip(3)),
    text: /Invalid segment magic \[segment 0, offset 0\]/,
    left: without([]),
  },
  {
    name: 'a segment cut within an entry',
    damage: (store) => edit(store, segment(0), (bytes) => bytes.subarray(0, third.offset + 30)),
    text: /Segment entry data short read/,
    left: without(places.filter((place) => place.segment === 0 && place.offset >= third.offset)),
  },
  {
    name: 'garbage between two entries',
    damage: (store) =>
      edit(store, segment(0), (bytes) =>
        concatBytes([
          bytes.subarray(0, third.offset),
          new Uint8Array(33).fill(7),
          bytes.subarray(third.offset),
        ]),
      ),
    text: /Data integrity error/,
    left: without([]),
  },
  {
    name: 'a segment missing in the middle',
    damage: (store) => store.removeFile(segment(2)),
    text: /Index object count mismatch/,
    left: without([{ segment: 2 }]),
    comesBack: old01,
  },
  {
    name: 'a segment that has become another',
    damage: (store) => {
      store.removeFile(segment(2));
      store.link(segment(0), segment(2));
    },
    text: /Index object count mismatch|ID: /,
    left: without([{ segment: 2 }]),
    comesBack: old01,
  },
  {
    name: 'two segments swapped',
    damage: (store) => {
      store.rename(segment(2), 'other');
      store.rename(segment(4), segment(2));
      store.rename('other', segment(4));
    },
    text: /ID: /,
    left: without([]),
  },
  ...(
    [
      ['empty', () => new Uint8Array(0)],
      ['of zeros', (bytes: Uint8Array) => bytes.fill(0)],
      ['of a few bytes', (bytes: Uint8Array) => bytes.subarray(0, 11)],
    ] as const
  ).map(([what, change]) => ({
    name: `a segment ${what}`,
    damage: (store: Store) => edit(store, segment(2), change),
    text: /Invalid segment magic|Invalid segment entry header/,
    left: without([{ segment: 2 }]),
    comesBack: old01,
  })),
  {
    name: 'a damaged COMMIT amid the log',
    damage: (store) => edit(store, segment(1), flip(12)),
    text: /\[segment 1, offset 8\]/,
    left: without([]),
  },
  ...(
    [
      ['damaged', (store: Store) => edit(store, segment(5), flip(12))],
      ['with a damaged magic', (store: Store) => edit(store, segment(5), flip(1))],
      ['of zeros', (store: Store) => edit(store, segment(5), (bytes) => bytes.fill(0))],
      ['cut off', (store: Store) => edit(store, segment(5), (bytes) => bytes.subarray(0, 9))],
      ['missing', (store: Store) => store.removeFile(segment(5))],
      [
        'damaged, and no index',
        (store: Store) => {
          edit(store, segment(5), flip(12));
          for (const kind of ['index', 'hints', 'integrity']) store.removeFile(`${kind}.5`);
        },
      ],
      [
        'damaged, and a damaged index',
        (store: Store) => {
          edit(store, segment(5), flip(12));
          edit(store, 'index.5', flip(5000));
        },
      ],
    ] as const
  ).map(([what, damage]) => ({
    name: `the last COMMIT ${what}`,
    damage,
    text: /The COMMIT of the last transaction is damaged or missing|Invalid segment magic/,
    left: without([]),
  })),
  {
    name: 'all COMMITs damaged',
    damage: (store) => {
      for (const number of [1, 3, 5]) edit(store, segment(number), flip(12));
    },
    text: /The COMMIT of the last transaction/,
    left: without([]),
  },
  {
    name: 'all COMMITs missing, and the index',
    damage: (store) => {
      for (const number of [1, 3, 5]) store.removeFile(segment(number));
      for (const kind of ['index', 'hints', 'integrity']) store.removeFile(`${kind}.5`);
    },
    text: /The COMMIT of the last transaction/,
    left: without([]),
  },
];

describe('Repository.check()', () => {
  it('finds nothing in a sound repository, and changes nothing in it', async () => {
    const store = copyOf(base);
    const before = treeOf(store);
    const { ok, finished, damage, plan, lines } = await check(store);
    assert.deepEqual({ ok, finished, damage, plan }, { ok: true, finished: true, damage: [], plan: [] });
    assert.deepEqual(treeOf(store), before);
    assert.deepEqual(lines, [
      'info: Starting repository check',
      'info: finished segment check at segment 5',
      'info: Starting repository index check',
      'info: Index object count match.',
      'info: Finished full repository check, no problems found.',
    ]);
  });

  for (const { name, damage, text, left, comesBack } of cases) {
    it(`finds ${name}, says what a repair would do, and mends what can be mended`, async () => {
      const store = copyOf(base);
      damage(store);
      const damaged = treeOf(store);

      const found = await check(copyOf(store));
      assert.equal(found.ok, false);
      assert.match(
        found.lines.find((line) => line.startsWith('error'))!,
        text,
      );
      assert.equal(found.lines.at(-1), 'error: Finished full repository check, errors found.');

      const planned = await check(store, { repair: true, dryRun: true });
      assert.equal(planned.ok, false);
      assert.deepEqual(treeOf(store), damaged);

      const repaired = await check(store, { repair: true });
      assert.equal(repaired.ok, true);
      assert.deepEqual(repaired.plan, planned.plan);
      assert.match(repaired.lines.at(-1)!, /^info: Finished full repository check, /);
      assert.ok((repaired.plan?.length ?? 0) > 0);
      assertNothingDestroyed(damaged, treeOf(store));
      await assertMended(store, new Map(left), comesBack);
    });
  }

  it('names the objects that are lost', async () => {
    const store = copyOf(base);
    edit(store, segment(0), flip(third.offset + 45));
    store.removeFile(segment(4));
    for (const repair of [false, true]) {
      const { damage } = await check(copyOf(store), { repair });
      const lost = damage!.filter(({ kind }) => kind === 'object');
      assert.deepEqual(
        lost.map(({ id }) => toHex(id!)).toSorted(),
        [toHex(idOf(3)), toHex(idOf(9))].toSorted(),
      );
      const bytes = damage!.find(({ kind }) => kind === 'segment')!;
      assert.deepEqual([bytes.segment, bytes.offset, bytes.sizeBytes], [0, third.offset, third.sizeBytes]);
    }
  });

  it('names lost objects beyond those that are listed, and those of a segment that has become another', async () => {
    const store = copyOf(base);
    store.removeFile(segment(4));
    store.link(segment(1), segment(4));
    const { damage, lostIds } = await check(store);
    assert.deepEqual([...lostIds!].map(toHex), [toHex(idOf(9))]);
    assert.deepEqual(
      damage!.filter(({ kind }) => kind === 'object').map(({ id }) => toHex(id!)),
      [toHex(idOf(9))],
    );
  });

  it('finds damage in a last segment that ends with its COMMIT, also without an index', async () => {
    const store = copyOf(base);
    const commit = readWholeFile(store, segment(5), 17).subarray(8);
    edit(store, segment(4), (bytes) => concatBytes([flip(60)(bytes), commit]));
    for (const path of [segment(5), 'index.5', 'hints.5', 'integrity.5']) store.removeFile(path);
    const { ok, damage } = await check(copyOf(store));
    assert.equal(ok, false);
    assert.equal(damage!.find(({ kind }) => kind === 'segment')?.segment, 4);
    await check(store, { repair: true });
    assert.deepEqual(await contentsOf(store), without([{ segment: 4 }]));
    assert.ok(store.stat(segment(4)));
  });

  it('does not go by an index that nothing verifies', async () => {
    const store = copyOf(base);
    // The first entry and the magic are damaged, so that what is behind has to be looked for; and so is the index.
    edit(store, segment(0), (bytes) => flip(3)(flip(20)(bytes)));
    edit(store, 'index.5', (bytes) => {
      for (let offset = 30; offset < bytes.length; offset += 40) bytes[offset]! ^= 1;
      return bytes;
    });
    store.removeFile('integrity.5');
    await check(store, { repair: true });
    await assertMended(store, without([{ segment: 0, offset: 20 }]));
  });

  it('refuses a config that wants the segments in other folders', async () => {
    const store = copyOf(base);
    edit(store, 'config', (bytes) =>
      fromUtf8(toUtf8Lossy(bytes).replace(/segments_per_dir = \d+/, 'segments_per_dir = 2')),
    );
    const before = treeOf(store);
    for (const options of [{}, { repair: true }]) await assert.rejects(check(store, options), WRONG_CONFIG);
    await assert.rejects(contentsOf(store), WRONG_CONFIG);
    assert.deepEqual(treeOf(store), before);
  });

  it('does not take the remains of an interrupted transaction for damage', async () => {
    for (const content of [
      (bytes: Uint8Array) => bytes,
      torn(0),
      torn(8),
      torn(13),
      () => new Uint8Array(0),
    ]) {
      const store = copyOf(base);
      store.link(segment(4), segment(6));
      edit(store, segment(6), content);
      const { ok, damage } = await check(store);
      assert.deepEqual({ ok, damage }, { ok: true, damage: [] });
      assert.deepEqual(await contentsOf(store), sound);
    }
  });

  it('goes back to an earlier transaction where all segments behind it were taken away', async () => {
    const store = copyOf(base);
    for (const number of [2, 3, 4, 5]) store.removeFile(segment(number));
    const { ok } = await check(store);
    assert.equal(ok, true);
    assert.equal((await contentsOf(store)).size, 9);
  });

  it('says that there is nothing in a repository without segments', async () => {
    for (const repair of [false, true]) {
      const store = copyOf(base);
      for (let number = 0; number <= 5; number++) store.removeFile(segment(number));
      const before = treeOf(store);
      const { ok, damage } = await check(store, { repair });
      assert.equal(ok, false);
      assert.deepEqual(
        damage!.map(({ kind }) => kind),
        ['empty'],
      );
      assert.deepEqual(treeOf(store), before);
    }
  });

  it('leaves everything as it is without a lock', async () => {
    const store = copyOf(base);
    store.removeFile('index.5');
    edit(store, segment(0), flip(third.offset + 45));
    const before = treeOf(store);
    await using repository = await openRepositoryIn(testContext(), store, {
      lock: false,
      identity: identity(),
    });
    assert.equal((await repository.check()).ok, false);
    assert.deepEqual(treeOf(store), before);
    await assert.rejects(repository.check({ repair: true }), /without a lock/);
  });

  it('refuses to repair an append-only repository, in part, or within a transaction', async () => {
    const store = copyOf(base);
    const options = { exclusive: true, identity: identity() };
    const appendOnly = await openRepositoryIn(testContext(), store, { ...options, appendOnly: true });
    await assert.rejects(appendOnly.check({ repair: true }), /append-only mode/);
    assert.equal((await appendOnly.check()).ok, true);
    await appendOnly.close();
    await using repository = await openRepositoryIn(testContext(), store, options);
    await assert.rejects(repository.check({ repair: true, maxDurationSeconds: 1 }), /partial/);
    await repository.put(idOf('new'), dataOf('new'));
    await assert.rejects(repository.check(), /within a transaction/);
    await repository.commit();
    assert.equal((await repository.check()).ok, true);
    assert.deepEqual(await repository.get(idOf('new')), dataOf('new'));
  });

  it('leaves a repository that can be written to and compacted', async () => {
    const store = copyOf(base);
    edit(store, segment(0), flip(third.offset + 45));
    edit(store, segment(5), flip(12));
    await using repository = await openRepositoryIn(testContext(), store, {
      exclusive: true,
      identity: identity(),
    });
    await repository.check({ repair: true });
    await repository.put(idOf(3), dataOf(3, 23));
    await repository.delete(idOf(9));
    await repository.commit({ compact: true, threshold: 0 });
    assert.equal((await repository.check()).ok, true);
    const contents = await contentsOfOpen(repository);
    const expected = new Map(sound);
    expected.delete(toHex(idOf(9)));
    assert.deepEqual(contents, expected);
  });

  it('stops where it is interrupted', async () => {
    const controller = new AbortController();
    const context = { ...testContext(), signal: controller.signal };
    const store = copyOf(base);
    await using repository = await openRepositoryIn(context, store, {
      exclusive: true,
      identity: identity(),
    });
    controller.abort(new Error('enough'));
    await assert.rejects(repository.check({ repair: true }), /enough/);
  });
});

describe('a repair', () => {
  it('of a sound repository keeps nothing, and says that it writes the index', async () => {
    const store = copyOf(base);
    const { plan } = await check(store, { repair: true });
    assert.deepEqual(
      plan!.map(({ text }) => text),
      ['write index.5, hints.5, integrity.5'],
    );
    assert.equal(store.stat('quarantine'), undefined);
  });

  it('keeps the remains of an interrupted transaction', async () => {
    const store = copyOf(base);
    store.link(segment(4), segment(6));
    const { ok, plan } = await check(store, { repair: true });
    assert.equal(ok, true);
    const move = plan!.find(({ action }) => action === 'move')!;
    assert.equal(move.path, segment(6));
    assert.equal(store.stat(segment(6)), undefined);
    assert.ok(store.stat(move.to!));
  });

  it('keeps every object that is not hit, and changes none, whatever bytes are damaged', async () => {
    const sizes = [0, 1, 2, 3, 4, 5].map((number) => base.stat(segment(number))!.sizeBytes);
    const hit = fc.nat(5).chain((number) =>
      fc.record({
        segment: fc.constant(number),
        offset: fc.nat(sizes[number]! - 1),
        value: fc.integer({ min: 1, max: 255 }),
      }),
    );
    const indexDamage = fc.constantFrom('none', 'index.5', 'hints.5', 'integrity.5', 'all');
    await fc.assert(
      fc.asyncProperty(fc.array(hit, { minLength: 1, maxLength: 6 }), indexDamage, async (hits, index) => {
        const store = copyOf(base);
        for (const { segment: number, offset, value } of hits) {
          edit(store, segment(number), (bytes) => {
            bytes[offset]! ^= value;
            return bytes;
          });
        }
        for (const path of ['index.5', 'hints.5', 'integrity.5']) {
          if (index === 'all' || index === path) store.removeFile(path);
        }
        const damaged = treeOf(store);
        const { ok } = await check(store, { repair: true });
        assert.equal(ok, true);
        assertNothingDestroyed(damaged, treeOf(store));
        const contents = await contentsOf(store);
        for (const [id, data] of without(hits)) assert.equal(contents.get(id), data);
        for (const [id, data] of contents) {
          assert.ok(data === sound.get(id) || data === old01.get(id), `${id} has become something else`);
        }
        assert.equal((await check(store)).ok, true);
      }),
      { numRuns: 60 },
    );
  });

  it('that is only planned shows what it would leave, to readers alone', async () => {
    const store = copyOf(base);
    edit(store, segment(0), flip(third.offset + 45));
    edit(store, segment(5), flip(12));
    const before = treeOf(store);
    const repository = await openRepositoryIn(testContext(), store, {
      exclusive: true,
      identity: identity(),
    });
    await repository.check({ repair: true, dryRun: true });
    assert.deepEqual(await contentsOfOpen(repository), without([{ segment: 0, offset: third.offset }]));
    await assert.rejects(async () => repository.put(idOf('new'), dataOf('new')), CheckNeeded);
    await repository.rollback();
    await assert.rejects(repository.count(), CheckNeeded);
    await repository.close();
    assert.deepEqual(treeOf(store), before);
  });

  it('is needed, and said to be, before anything else is done with a damaged last transaction', async () => {
    for (const damage of [flip(12), flip(2)]) {
      const store = copyOf(base);
      edit(store, segment(5), damage);
      await assert.rejects(contentsOf(store), CheckNeeded);
      const { ok } = await check(store, { repair: true });
      assert.equal(ok, true);
      assert.deepEqual(await contentsOf(store), sound);
    }
  });
});

/** Every file that was there is there still, here or in the quarantine, except for indexes that hold nothing else. */
function assertNothingDestroyed(before: Map<string, string>, after: Map<string, string>): void {
  const kept = new Set(after.values());
  for (const [path, content] of before) {
    if (path.startsWith('data/') && content.length > 0) assert.ok(kept.has(content), `${path} is gone`);
  }
}

async function contentsOfOpen(repository: {
  list(): Promise<Uint8Array[]>;
  get(id: Uint8Array): Promise<Uint8Array>;
}): Promise<Contents> {
  const contents: Contents = new Map();
  for (const id of await repository.list()) contents.set(toHex(id), toHex(await repository.get(id)));
  return contents;
}
