import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import { FilesCache, type FilesCacheStat } from '../../../src/archive/cache/files-cache.ts';
import { encode } from '../../../src/msgpack/encode.ts';
import { MsgpackError } from '../../../src/msgpack/value.ts';
import { concatBytes, fromHex, toHex } from '../../../src/util/bytes.ts';

const hash = (n: number): Uint8Array => new Uint8Array(32).fill(n);
/** Different ones. */
function numbered(n: number): Uint8Array {
  const bytes = hash(0);
  new DataView(bytes.buffer).setUint32(0, n + 1);
  return bytes;
}
const stat = (fields: Partial<FilesCacheStat> = {}): FilesCacheStat => ({
  ino: 7n,
  sizeBytes: 100,
  ctimeNs: 1_000n,
  mtimeNs: 2_000n,
  ...fields,
});
const encoded = (cache: FilesCache, ttl = 20): Uint8Array => concatBytes([...cache.encode(ttl)]);

/** One of the states that a file has in the test with a map of the files. */
function statOf(n: number, which: number): FilesCacheStat {
  return stat({ ino: BigInt(n), ctimeNs: BigInt(1 + which) });
}

function idsOf(n: number, which: number): Uint8Array[] {
  return Array.from({ length: (n * 7) % 20 }, () => hash(n + which));
}

/** A cache with one file, as a second run finds it: another file had the newest time. */
function reloaded(mode = 'cis'): FilesCache {
  const cache = new FilesCache(mode);
  cache.memorize(hash(1), stat(), [hash(0xa1), hash(0xa2)], undefined);
  cache.memorize(hash(2), stat({ ctimeNs: 9_000n, mtimeNs: 9_000n }), [], undefined);
  return FilesCache.decode(encoded(cache), mode);
}

describe('FilesCache', () => {
  it('has the bytes of the reference implementation', () => {
    // msgpack.packb((b'\x01' * 32, (0, 7, 100, 1000, [b'\xa1' * 32]))) with raw types only
    const cache = new FilesCache('cis');
    cache.memorize(hash(1), stat(), [hash(0xa1)], undefined);
    cache.memorize(hash(2), stat({ ctimeNs: 9_000n }), [], undefined);
    const expected = `92da0020${'01'.repeat(32)}95000764cd03e891da0020${'a1'.repeat(32)}`;
    assert.equal(toHex(encoded(cache)), expected);
  });

  it('finds an unchanged file and gives its chunk ids', () => {
    const answer = reloaded().lookup(hash(1), stat());
    assert.equal(answer.known, true);
    assert.deepEqual(answer.ids?.map(toHex), [toHex(hash(0xa1)), toHex(hash(0xa2))]);
  });

  const changes: [mode: string, change: Partial<FilesCacheStat>, unchanged: boolean][] = [
    ['cis', { sizeBytes: 101 }, false],
    ['cis', { ino: 8n }, false],
    ['cis', { ctimeNs: 1_001n }, false],
    ['cis', { mtimeNs: 2_001n }, true],
    ['ims', { mtimeNs: 2_001n }, false],
    ['ims', { ctimeNs: 1_001n }, true],
    ['cs', { ino: 8n }, true],
    ['s', { ino: 8n, ctimeNs: 5n, mtimeNs: 5n }, true],
  ];
  for (const [mode, change, unchanged] of changes) {
    const what = Object.keys(change).join(' and ');
    it(`takes a file with another ${what} as ${unchanged ? 'unchanged' : 'changed'} in mode ${mode}`, () => {
      const answer = reloaded(mode).lookup(hash(1), stat(change));
      assert.equal(answer.known, true);
      assert.equal(answer.ids !== undefined, unchanged);
    });
  }

  it('knows no file in the modes rechunk and disabled', () => {
    for (const mode of ['r', 'd', 'mr']) {
      assert.deepEqual(FilesCache.decode(encoded(reloaded()), mode).lookup(hash(1), stat()), {
        known: false,
      });
    }
  });

  it('does not save the files with the newest time of this run', () => {
    const cache = new FilesCache('cis');
    cache.memorize(hash(1), stat({ ctimeNs: 5n }), [], undefined);
    cache.memorize(hash(2), stat({ ctimeNs: 6n }), [], undefined);
    cache.memorize(hash(3), stat({ ctimeNs: 6n }), [], undefined);
    const saved = FilesCache.decode(encoded(cache), 'cis');
    assert.equal(saved.size, 1);
    assert.equal(saved.lookup(hash(1), stat({ ctimeNs: 5n })).known, true);
  });

  it('does not take in a file that may have changed again without another time', () => {
    const second = 1_000_000_000n;
    const at = 1_700_000_000n * second;
    const files: readonly [changedNs: bigint, readNs: bigint, kept: boolean][] = [
      [at + 5n, at + 5n, false],
      [at + 5n, at + 9_000_000n, false],
      [at + 5n, at + 20_000_000n, true],
      [at, at + 20_000_000n, false],
      [at, at + 2n * second, false],
      [at, at + 2n * second + 1n, true],
      [at + 5n, at, true],
    ];
    for (const [changedNs, readNs, kept] of files) {
      const cache = new FilesCache('cis');
      cache.memorize(hash(1), stat({ ctimeNs: changedNs }), [], readNs);
      assert.equal(cache.size, kept ? 1 : 0, `${changedNs - at}, read at ${readNs - at}`);
    }
  });

  it('forgets a file that was not seen for as many runs as the limit says', () => {
    // It has been one run away already.
    let bytes = encoded(reloaded());
    const sizes: number[] = [];
    for (let run = 0; run < 3; run++) {
      bytes = encoded(FilesCache.decode(bytes, 'cis'), 4);
      sizes.push(FilesCache.decode(bytes, 'cis').size);
    }
    assert.deepEqual(sizes, [1, 1, 0]);
  });

  it('counts a file that was found again as seen', () => {
    const old = FilesCache.decode(encoded(FilesCache.decode(encoded(reloaded()), 'cis')), 'cis');
    old.lookup(hash(1), stat());
    // Age 0 again: with a limit of 1, older ones would be dropped.
    assert.equal(FilesCache.decode(encoded(old, 1), 'cis').size, 1);
  });

  it('remembers today’s inode where the mode does not look at it', () => {
    const cache = reloaded('cs');
    cache.lookup(hash(1), stat({ ino: 99n }));
    const next = FilesCache.decode(encoded(cache), 'cis');
    assert.notEqual(next.lookup(hash(1), stat({ ino: 99n })).ids, undefined);
  });

  it('reads times beyond 2^63 as old archives have them', () => {
    const time = fromHex('000000000000000080');
    const bytes = encode([hash(1), [0, 7, 100, time, []]]);
    const cache = FilesCache.decode(bytes, 's');
    assert.equal(cache.lookup(hash(1), stat()).known, true);
  });

  it('finds files in whatever order they are asked for, and once more', () => {
    const cache = new FilesCache('cis');
    const count = 50;
    for (let n = 0; n < count; n++)
      cache.memorize(numbered(n), stat({ ino: BigInt(n) }), [hash(n)], undefined);
    cache.memorize(hash(9), stat({ ctimeNs: 9_000n }), [], undefined);
    const bytes = encoded(cache);
    const inOrder = Array.from({ length: count }, (_, n) => n);
    const unknown = [count, count + 1];
    const orders = [
      inOrder,
      inOrder.toReversed(),
      [...unknown, ...inOrder, ...unknown, ...inOrder],
      inOrder.filter((n) => n % 3 !== 0),
      [7, 7, 8, 8, 9, 3, 4, 5],
    ];
    for (const order of orders) {
      const again = FilesCache.decode(bytes.slice(), 'cis');
      for (const n of order) {
        const answer = again.lookup(numbered(n), stat({ ino: BigInt(n) }));
        assert.equal(answer.known, n < count);
        assert.deepEqual(answer.ids, n < count ? [hash(n)] : undefined);
      }
      const found = new Set(order.filter((n) => n < count));
      // Only what was found has an age of 0, and is kept by a limit of 1.
      assert.equal(FilesCache.decode(encoded(again, 1), 'cis').size, found.size);
    }
  });

  it('finds what was remembered last, also where its old entry is the next one', () => {
    const cache = reloaded();
    cache.memorize(hash(1), stat({ sizeBytes: 5 }), [hash(7)], undefined);
    assert.deepEqual(cache.lookup(hash(1), stat({ sizeBytes: 5 })).ids, [hash(7)]);
    assert.equal(cache.lookup(hash(1), stat()).ids, undefined);
    assert.equal(cache.size, 1);
    cache.memorize(hash(3), stat({ ctimeNs: 9_000n }), [], undefined);
    const saved = FilesCache.decode(encoded(cache), 'cis');
    assert.equal(saved.size, 1);
    assert.deepEqual(saved.lookup(hash(1), stat({ sizeBytes: 5 })).ids, [hash(7)]);
  });

  it('goes on after it was written, as a checkpoint does', () => {
    const cache = reloaded();
    cache.lookup(hash(1), stat());
    const first = encoded(cache);
    cache.memorize(hash(4), stat({ ctimeNs: 5n }), [hash(4)], undefined);
    cache.memorize(hash(5), stat({ ctimeNs: 9_000n }), [], undefined);
    const second = FilesCache.decode(encoded(cache, 1), 'cis');
    assert.equal(second.size, 2);
    assert.equal(FilesCache.decode(first, 'cis').size, 1);
  });

  it('keeps a file of more chunks than fit into the shortest form', () => {
    const ids = Array.from({ length: 40 }, (_, n) => hash(n));
    const cache = new FilesCache('cis');
    cache.memorize(hash(1), stat(), ids, undefined);
    cache.memorize(hash(2), stat({ ctimeNs: 9_000n }), [], undefined);
    const again = FilesCache.decode(encoded(cache), 'cis');
    assert.deepEqual(again.lookup(hash(1), stat()).ids, ids);
    assert.equal(FilesCache.decode(encoded(again), 'cis').size, 1);
  });

  it('reads more entries, and smaller ones, than the first make it expect', () => {
    const cache = new FilesCache('cis');
    for (let n = 0; n < 4000; n++) {
      const ids = n < 1500 ? [hash(1), hash(2), hash(3), hash(4)] : [];
      cache.memorize(numbered(n), stat({ ino: BigInt(n) }), ids, undefined);
    }
    cache.memorize(hash(9), stat({ ctimeNs: 9_000n }), [], undefined);
    const again = FilesCache.decode(encoded(cache), 'cis');
    assert.equal(again.size, cache.size - 1);
    for (const n of [0, 1499, 1500, 3999]) {
      assert.equal(again.lookup(numbered(n), stat({ ino: BigInt(n) })).ids?.length, n < 1500 ? 4 : 0);
    }
  });

  const damaged: [what: string, bytes: Uint8Array][] = [
    ['a map', encode(new Map([['a', 1]]))],
    ['a short path hash', encode([new Uint8Array(31), [0, 1, 2, 3, []]])],
    ['too few fields', encode([hash(1), [0, 1, 2, 3]])],
    ['a chunk id of wrong length', encode([hash(1), [0, 1, 2, 3, [new Uint8Array(33)]]])],
    ['text for a number', encode([hash(1), ['x', 1, 2, 3, []]])],
    ['an entry cut short', encode([hash(1), [0, 1, 2, 3, [hash(2)]]]).subarray(0, -1)],
    ['noise', fromHex('c1c1c1c1')],
  ];
  for (const [what, bytes] of damaged) {
    it(`decode() rejects ${what}`, () => {
      assert.throws(() => FilesCache.decode(bytes, 'cis'), MsgpackError);
    });
  }

  it('decode() and encode() keep any entries', () => {
    const entry = fc.record({
      ino: fc.bigInt(0n, 2n ** 64n - 1n),
      sizeBytes: fc.nat(),
      ctimeNs: fc.bigInt(0n, 2n ** 60n),
      chunks: fc.array(fc.nat(255), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        const cache = new FilesCache('cis');
        entries.forEach((each, n) => {
          cache.memorize(hash(n), stat(each), each.chunks.map(hash), undefined);
        });
        cache.memorize(hash(200), stat({ ctimeNs: 2n ** 60n + 1n }), [], undefined);
        const again = FilesCache.decode(encoded(cache), 'cis');
        entries.forEach((each, n) => {
          const { ids } = again.lookup(hash(n), stat(each));
          assert.deepEqual(
            ids?.map(toHex),
            each.chunks.map((chunk) => toHex(hash(chunk))),
          );
        });
      }),
      { numRuns: 50 },
    );
  });

  it('answers as a map of the files would, whatever it was told and asked, and however often it was saved', () => {
    interface Known {
      readonly stat: FilesCacheStat;
      readonly ids: readonly Uint8Array[];
      age: number;
    }
    const ttl = 3;
    const file = fc.nat({ max: 30 });
    // Of each file there are some states, which differ in what the mode looks at.
    const state = fc.nat({ max: 2 });
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('lookup'), file, state }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('walk'), file, state }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('memorize'), file, state }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('replaceIds'), file, state }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('save'), file, state }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let cache = new FilesCache('cis');
        let model = new Map<number, Known>();
        const ask = (n: number, which: number): void => {
          const known = model.get(n);
          const wanted = statOf(n, which);
          const isSame = known?.stat.ctimeNs === wanted.ctimeNs;
          if (known !== undefined && isSame) known.age = 0;
          const answer = cache.lookup(numbered(n), wanted);
          assert.equal(answer.known, known !== undefined);
          assert.deepEqual(answer.ids?.map(toHex), isSame ? known?.ids.map(toHex) : undefined);
        };
        for (const { kind, file: n, state: which } of steps) {
          if (kind === 'lookup') ask(n, which);
          else if (kind === 'walk') for (let m = n; m < 31; m++) ask(m, which);
          else if (kind === 'memorize') {
            cache.memorize(numbered(n), statOf(n, which), idsOf(n, which), undefined);
            model.set(n, { stat: statOf(n, which), ids: idsOf(n, which), age: 0 });
          } else if (kind === 'replaceIds') {
            cache.replaceIds(numbered(n), idsOf(n, which + 5));
            const known = model.get(n);
            if (known !== undefined) model.set(n, { ...known, ids: idsOf(n, which + 5), age: 0 });
          } else {
            // Another file has the newest time, so that the others are kept.
            cache.memorize(hash(200), stat({ ctimeNs: 9_000n }), [], undefined);
            cache = FilesCache.decode(encoded(cache, ttl), 'cis');
            model = new Map([...model].filter(([, { age }]) => age < ttl));
            for (const known of model.values()) known.age += 1;
            assert.equal(cache.size, model.size);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
