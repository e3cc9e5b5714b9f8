/** Checks that end after a time, and go on the next time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readWholeFile } from '../../../src/store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { check, copyOf, edit, flip, prepare } from './sample.ts';
import type { MemoryStore } from '../../../src/store/memory-store.ts';

const base = await prepare();
/** Over at once: every segment takes longer. */
const BRIEF = { maxDurationSeconds: 1e-9 };
const LONG = { maxDurationSeconds: 3600 };

function lastChecked(store: MemoryStore): string | undefined {
  const config = toUtf8Lossy(readWholeFile(store, 'config', 1e6));
  return /^last_segment_checked = (.*)$/m.exec(config)?.[1];
}

describe('a partial check', () => {
  it('does a segment at a time, and begins anew after the last', async () => {
    const store = copyOf(base);
    for (const segment of [0, 1, 2, 3, 4, 5, 0]) {
      const { ok, finished, lines } = await check(store, BRIEF);
      assert.deepEqual({ ok, finished }, { ok: true, finished: false });
      assert.deepEqual(lines, [
        'info: Starting repository check',
        `info: skipping to segments >= ${segment}`,
        `info: finished partial segment check, last segment checked is ${segment}`,
        'info: Finished partial repository check, no problems found.',
      ]);
      assert.equal(lastChecked(store), String(segment));
      if (segment === 5) {
        const last = await check(store, LONG);
        assert.equal(last.finished, true);
        assert.equal(lastChecked(store), undefined);
      }
    }
  });

  it('goes on behind the segment that the config names, and forgets it at the end', async () => {
    const store = copyOf(base);
    edit(store, 'data/0/0', flip(70));
    edit(store, 'config', (bytes) =>
      fromUtf8(toUtf8Lossy(bytes).replace(/^id =/m, 'last_segment_checked = 1\nid =')),
    );
    const rest = await check(store, LONG);
    assert.deepEqual({ ok: rest.ok, finished: rest.finished }, { ok: true, finished: true });
    assert.ok(rest.lines.includes('info: finished segment check at segment 5'));
    assert.equal(lastChecked(store), undefined);
    const next = await check(store, LONG);
    assert.equal(next.ok, false);
    assert.equal(next.lines.at(-1), 'error: Finished partial repository check, errors found.');
  });

  it('is forgotten by a full one', async () => {
    const store = copyOf(base);
    await check(store, BRIEF);
    await check(store);
    assert.equal(lastChecked(store), undefined);
  });

  it('begins at the start where the config is not understood', async () => {
    const store = copyOf(base);
    edit(store, 'config', (bytes) =>
      fromUtf8(toUtf8Lossy(bytes).replace(/^id =/m, 'last_segment_checked = x\nid =')),
    );
    assert.ok((await check(store, LONG)).lines.includes('info: skipping to segments >= 0'));
  });
});
