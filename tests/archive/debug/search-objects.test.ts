import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSearchTerm, searchObjects, type Finding } from '../../../src/archive/debug/search-objects.ts';
import { CommandError } from '../../../src/errors.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';

/** Objects whose ids are their numbers. */
async function* objectsOf(...contents: string[]) {
  for (const [number, text] of contents.entries()) {
    yield await Promise.resolve({ id: Uint8Array.of(number), plaintext: fromUtf8(text) });
  }
}

async function search(wanted: string, ...contents: string[]): Promise<string[]> {
  const findings = await Array.fromAsync(searchObjects(objectsOf(...contents), fromUtf8(wanted), () => {}));
  return findings.map(describeFinding);
}

function describeFinding({ number, id, previousId, count, before, after }: Finding): string {
  const place = previousId === undefined ? `${id[0]} #${count}` : `${previousId[0]}|${id[0]}`;
  return `${number} ${place} ${toUtf8Lossy(before)}_${toUtf8Lossy(after)}`;
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

describe('searchObjects()', () => {
  it('counts what does not overlap, and shows 32 bytes around the first', async () => {
    const text = `${letters}111${letters}11`;
    assert.deepEqual(await search('11', 'nothing', text), [
      `1 1 #2 ${letters.slice(-32)}_1${letters.slice(0, 31)}`,
    ]);
  });

  it('shows nothing in front of what is found at the beginning', async () => {
    assert.deepEqual(await search('b', `ab${letters}`), [`0 0 #2 _${letters.slice(0, 32)}`]);
  });

  it('finds what starts in one object and ends in the next', async () => {
    assert.deepEqual(await search('needle', `${letters}nee`, `dle${letters}`, 'nee', 'x'), [
      `1 0|1 ${letters.slice(-32)}_${letters.slice(0, 32)}`,
    ]);
  });

  it('does not look for one byte at a border', async () => {
    assert.deepEqual(await search('a', 'a', 'b'), ['0 0 #1 _']);
  });

  it('tells what is done, every 10000 objects', async () => {
    const told: number[] = [];
    const objects = objectsOf(...Array.from({ length: 20_001 }, () => ''));
    assert.deepEqual(
      await Array.fromAsync(searchObjects(objects, Uint8Array.of(1), (n) => told.push(n))),
      [],
    );
    assert.deepEqual(told, [10_000, 20_000]);
  });
});

describe('parseSearchTerm()', () => {
  it('reads hex digits and text', () => {
    assert.deepEqual(parseSearchTerm('hex:00ff'), Uint8Array.of(0, 255));
    assert.deepEqual(parseSearchTerm('str:hex:é'), fromUtf8('hex:é'));
  });

  for (const text of ['', 'needle', 'hex:', 'str:', 'hex:1', 'hex:zz', 'str:\udcff', 'STR:a']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSearchTerm(text), CommandError);
    });
  }
});
