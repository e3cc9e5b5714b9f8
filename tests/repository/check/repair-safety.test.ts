/** What a repair puts aside, how much space it wants, and what a crash within it leaves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BorgError, InsufficientFreeSpaceError } from '../../../src/errors.ts';
import { decodeRescueMap } from '../../../src/format/rescue-map.ts';
import { dropQuarantine, listQuarantine } from '../../../src/repository/quarantine.ts';
import { KEEP_UNSYNCED, LOSE_UNSYNCED } from '../../../src/store/memory-store.ts';
import type { MemoryStore } from '../../../src/store/memory-store.ts';
import { StoreError } from '../../../src/store/store.ts';
import { readWholeFile } from '../../../src/store/whole-file.ts';
import { toHex, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { FaultyStore } from '../../faults/faulty-store.ts';
import { idOf } from '../fakes.ts';
import {
  check,
  contentsOf,
  copyOf,
  edit,
  flip,
  placesOf,
  prepare,
  treeOf,
  withBadSectors,
} from './sample.ts';

const base = await prepare();
const sound = await contentsOf(base);
const third = (await placesOf(base)).find(({ id }) => id === toHex(idOf(3)))!;
const withoutThird = new Map(sound);
withoutThird.delete(third.id);

/** Object 3 and the last COMMIT are damaged, or gone, and an interrupted transaction follows. */
function damaged(commit: 'damaged' | 'gone' = 'damaged'): MemoryStore {
  const store = copyOf(base);
  edit(store, 'data/0/0', flip(third.offset + 45));
  if (commit === 'gone') store.removeFile('data/0/5');
  else edit(store, 'data/0/5', flip(12));
  store.link('data/0/4', 'data/0/6');
  // All of it is on the disk.
  return copyOf(store);
}

const noLink = (existing: string) => {
  throw new StoreError('EPERM', 'link', existing);
};

describe('the quarantine', () => {
  it('has every file that was replaced or removed as it was, and says what was done', async () => {
    const store = damaged();
    const before = treeOf(store);
    const { plan } = await check(store, { repair: true });
    const [repair, ...others] = listQuarantine(store);
    assert.deepEqual(others, []);
    assert.equal(repair!.name, '2026-01-02T03-04-05Z');
    const content = (name: string) => toHex(readWholeFile(store, `quarantine/${repair!.name}/${name}`, 1e6));
    const names = repair!.files.map(({ path }) => path.split('/')[2]);
    const kept: [name: string, path: string][] = [
      ['hints.5', 'hints.5'],
      ['index.5', 'index.5'],
      ['integrity.5', 'integrity.5'],
      ['segment.0', 'data/0/0'],
      ['segment.5', 'data/0/5'],
      ['segment.6', 'data/0/6'],
    ];
    assert.deepEqual(names, ['README', ...kept.map(([name]) => name)]);
    for (const [name, path] of kept) assert.equal(content(name), before.get(path), name);
    const readme = toUtf8Lossy(readWholeFile(store, `quarantine/${repair!.name}/README`, 1e6));
    for (const { text } of plan!.slice(1)) assert.ok(readme.includes(text), text);
    assert.match(readme, /Segment entry checksum mismatch \[segment 0/);
    assert.equal(
      repair!.sizeBytes,
      repair!.files.reduce((sum, { path }) => sum + store.stat(path)!.sizeBytes, 0),
    );
  });

  it('keeps repairs apart, also of the same second, until it is dropped', async () => {
    const store = damaged();
    assert.deepEqual(listQuarantine(store), []);
    await check(store, { repair: true });
    edit(store, 'data/0/2', flip(60));
    await check(store, { repair: true });
    const before = listQuarantine(store);
    assert.deepEqual(
      before.map(({ name }) => name),
      ['2026-01-02T03-04-05Z', '2026-01-02T03-04-05Z-2'],
    );
    assert.deepEqual(dropQuarantine(store), before);
    assert.deepEqual(listQuarantine(store), []);
    assert.equal(store.stat('quarantine'), undefined);
    assert.deepEqual(dropQuarantine(store), []);
    assert.equal((await check(store)).ok, true);
  });

  it('gets a copy where the file system knows no second names', async () => {
    const store = damaged();
    const before = treeOf(store);
    store.link = noLink;
    await check(store, { repair: true });
    const kept = [...treeOf(store).values()];
    assert.ok(kept.includes(before.get('data/0/0')!));
    assert.deepEqual(await contentsOf(store), withoutThird);
  });
});

describe('a repair without enough space', () => {
  it('says so, and changes nothing', async () => {
    for (const dryRun of [false, true]) {
      const store = damaged();
      store.freeBytes = 10_000;
      const before = treeOf(store);
      await assert.rejects(check(store, { repair: true, dryRun }), InsufficientFreeSpaceError);
      assert.deepEqual(treeOf(store), before);
    }
  });

  it('keeps no damaged segments with saveSpace, and says so', async () => {
    // Enough for a replacement and the index, not for two.
    const big = await prepare(3_000_000);
    for (const number of [0, 2]) edit(big, `data/0/${number}`, flip(10));
    const store = copyOf(big);
    store.freeBytes = 26_000_000;
    const roomy = copyOf(store);
    roomy.freeBytes = 2 ** 40;
    const { plan, lines } = await check(store, { repair: true, saveSpace: true });
    if (plan!.some(({ action }) => action === 'keep')) assert.fail('segments were kept');
    assert.match(lines.join('\n'), /warning: .*they are not kept/);
    assert.equal(store.stat(`quarantine/2026-01-02T03-04-05Z/segment.0`), undefined);
    assert.equal((await check(store)).ok, true);
    const kept = await check(roomy, { repair: true, saveSpace: true });
    assert.ok(kept.plan!.some(({ action }) => action === 'keep'));
    assert.deepEqual(await contentsOf(store), await contentsOf(roomy));
  });
});

describe('a repair that has ended', () => {
  it('is durable, and so is what it put aside', async () => {
    const store = damaged();
    await check(store, { repair: true });
    const left = store.afterCrash(LOSE_UNSYNCED);
    assert.deepEqual(listQuarantine(left), listQuarantine(store));
    assert.deepEqual(await contentsOf(left), withoutThird);
    assert.equal((await check(left)).ok, true);
  });

  it('has lost nothing that it only moved', async () => {
    const made = copyOf(base);
    made.link('data/0/4', 'data/0/6');
    const store = copyOf(made);
    await check(store, { repair: true });
    const kept = listQuarantine(store);
    assert.equal(kept[0]!.files.length, 2);
    assert.deepEqual(listQuarantine(store.afterCrash(LOSE_UNSYNCED)), kept);
  });
});

describe('a crash within a repair', () => {
  for (const [commit, links] of [
    ['damaged', true],
    ['gone', true],
    ['gone', false],
  ] as const) {
    it(`leaves what a further repair mends, with every object that was not damaged (COMMIT ${commit}, links: ${links})`, async () => {
      for (let at = 0; ; at++) {
        const store = damaged(commit);
        if (!links) store.link = noLink;
        const faulty = new FaultyStore(store, { at, kind: 'crash' });
        await check(faulty, { repair: true }).catch((error: unknown) => {
          if (!faulty.hasCrashed) throw error;
        });
        if (!faulty.hasCrashed) {
          assert.ok(at > 30, `only ${at} operations`);
          break;
        }
        const where = `crash at ${at}: ${faulty.operations.at(-1)}`;
        for (const policy of [LOSE_UNSYNCED, KEEP_UNSYNCED]) {
          const left = store.afterCrash(policy);
          await assertNotLess(left.afterCrash(KEEP_UNSYNCED), where);
          const { ok } = await check(left, { repair: true });
          assert.equal(ok, true, where);
          assert.deepEqual(await contentsOf(left), withoutThird, where);
          assert.equal((await check(left)).ok, true, where);
        }
      }
    });
  }

  it('is no worse where a write fails, and the repair is told to go on later', async () => {
    for (let at = 0; ; at++) {
      const store = damaged();
      const faulty = new FaultyStore(store, { at, kind: 'ENOSPC' });
      const failed = await check(faulty, { repair: true }).then(
        () => false,
        () => true,
      );
      if (faulty.operations.length <= at) break;
      if (!failed) continue;
      await assertNotLess(copyOf(store), `ENOSPC at ${at}`);
      await check(store, { repair: true });
      assert.deepEqual(await contentsOf(store), withoutThird, `ENOSPC at ${at}: ${faulty.operations[at]}`);
    }
  });
});

/** Whoever reads it gets an error, or all that is not damaged. */
async function assertNotLess(store: MemoryStore, where: string): Promise<void> {
  try {
    const contents = await contentsOf(store);
    for (const [id, data] of withoutThird) assert.equal(contents.get(id), data, where);
  } catch (error) {
    if (!(error instanceof BorgError)) throw error;
  }
}

describe('a repair of a disk with bad sectors', () => {
  for (const code of ['EIO', 'ENODATA', 'EBADMSG']) {
    it(`keeps what can be read (${code}), and maps what can't`, async () => {
      const store = copyOf(base);
      const bad = { offset: third.offset + 30, sizeBytes: 20 };
      const faulty = withBadSectors(store, new Map([['data/0/0', [bad]]]), code);
      const found = await check(faulty);
      assert.equal(found.ok, false);
      assert.match(found.lines.join('\n'), /error: Segment data unreadable \[segment 0, offset \d+\]/);
      const [range] = found.badRanges!.get(0)!;
      assert.ok(range!.offset <= bad.offset && range!.sizeBytes >= bad.sizeBytes);
      const lost = found.damage!.filter(({ kind }) => kind === 'object').map(({ id }) => toHex(id!));
      assert.ok(lost.includes(third.id));
      const { ok, plan } = await check(faulty, { repair: true });
      assert.equal(ok, true);
      const map = plan!.find(({ path }) => path.endsWith('segment.0.map'))!;
      const text = toUtf8Lossy(readWholeFile(store, map.path, 1e6));
      assert.deepEqual([...decodeRescueMap(text)], found.badRanges!.get(0));
      const contents = await contentsOf(store);
      for (const [id, data] of sound) if (!lost.includes(id)) assert.equal(contents.get(id), data);
      assert.equal((await check(store)).ok, true);
    });
  }

  it('loses one object to one bad sector of a large segment', async () => {
    const store = await prepare(5000);
    const all = await contentsOf(store);
    const [, , hit] = (await placesOf(store)).filter(({ segment }) => segment === 0);
    const sector = Math.ceil((hit!.offset + 600) / 512) * 512;
    const faulty = withBadSectors(store, new Map([['data/0/0', [{ offset: sector, sizeBytes: 512 }]]]));
    await check(faulty, { repair: true });
    all.delete(hit!.id);
    assert.deepEqual(await contentsOf(store), all);
  });

  it('goes on where the last COMMIT, or the index, can not be read', async () => {
    for (const path of ['data/0/5', 'data/0/1', 'index.5', 'hints.5', 'integrity.5']) {
      const store = copyOf(base);
      const faulty = withBadSectors(store, new Map([[path, [{ offset: 0, sizeBytes: 1e6 }]]]));
      await check(copyOf(store));
      const { ok } = await check(faulty, { repair: true });
      assert.equal(ok, true, path);
      assert.deepEqual(await contentsOf(store), sound, path);
    }
  });

  it('believes nothing of ranges that the caller names, e.g. zeros of an image', async () => {
    const store = copyOf(base);
    const given = { offset: third.offset + 41, sizeBytes: 5 };
    const badRanges = new Map([[0, [given]]]);
    const found = await check(store, { badRanges });
    assert.equal(found.ok, false);
    assert.deepEqual(found.badRanges, badRanges);
    await check(store, { repair: true, badRanges });
    assert.deepEqual(await contentsOf(store), withoutThird);
  });
});
