import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pruneArchives, type PrunedArchive, type PruneOptions } from '../../src/archive/prune.ts';
import type { RetentionPolicy } from '../../src/archive/prune-rules.ts';
import type { Context } from '../../src/util/context.ts';
import { Scratch } from './scratch.ts';

const DAY_NS = 86_400_000_000_000n;
const FIRST_NS = BigInt(Date.parse('2026-01-01T12:00:00Z')) * 1_000_000n;

/** Runs with archives of these names, one a day. */
async function withArchives(
  names: readonly string[],
  test: (scratch: Scratch) => Promise<void>,
): Promise<void> {
  using scratch = new Scratch();
  scratch.write('source/file', 'content');
  await scratch.init('authenticated');
  for (const [number, name] of names.entries()) {
    await scratch.create(name, scratch.context(), { timestampNs: FIRST_NS + BigInt(number) * DAY_NS });
  }
  await test(scratch);
}

/** Prunes; gives what was said of each archive, newest first. */
async function prune(
  scratch: Scratch,
  policy: RetentionPolicy,
  options: PruneOptions = {},
  ctx: Context = scratch.context(),
): Promise<string[]> {
  const lines: string[] = [];
  const onArchive = ({ archive, fate }: PrunedArchive) => void lines.push(`${archive.name} ${textOf(fate)}`);
  await using session = await scratch.open(ctx);
  await pruneArchives(session, policy, { onArchive, ...options });
  return lines;
}

function textOf(fate: PrunedArchive['fate']): string {
  if (fate.kind === 'keep') return `${fate.reason.rule} ${fate.reason.number}`;
  return fate.kind === 'prune' ? `pruned ${fate.number}/${fate.total}` : fate.kind;
}

async function namesOf(scratch: Scratch): Promise<string[]> {
  await using session = await scratch.open();
  return [...session.manifest.archives.keys()].toSorted();
}

describe('pruneArchives()', () => {
  it('deletes what no rule keeps, and leaves the rest whole', () =>
    withArchives(['a', 'b', 'c'], async (scratch) => {
      assert.deepEqual(await prune(scratch, { daily: 1 }), ['c daily 1', 'b pruned 1/2', 'a pruned 2/2']);
      assert.deepEqual(await namesOf(scratch), ['c']);
      assert.equal((await scratch.contents('c')).get('source/file')?.toString(), 'content');
    }));

  it('deletes nothing without a rule, or in a dry run', () =>
    withArchives(['a', 'b'], async (scratch) => {
      await assert.rejects(prune(scratch, {}), { msgid: 'CommandError' });
      await assert.rejects(prune(scratch, { daily: 0 }), { msgid: 'CommandError' });
      assert.deepEqual(await prune(scratch, { daily: 1 }, { dryRun: true }), ['b daily 1', 'a pruned 1/1']);
      assert.deepEqual(await namesOf(scratch), ['a', 'b']);
    }));

  it('looks at selected archives alone', () =>
    withArchives(['x-1', 'y-1', 'x-2', 'y-2'], async (scratch) => {
      await prune(scratch, { daily: 1 }, { selection: { glob: 'x-*' } });
      await prune(scratch, { daily: 2 }, { selection: { prefix: 'y' } });
      assert.deepEqual(await namesOf(scratch), ['x-2', 'y-1', 'y-2']);
    }));

  it('deletes checkpoints, except the newest archive of all', () =>
    withArchives(['a.checkpoint', 'a', 'b.checkpoint', 'b.checkpoint.1'], async (scratch) => {
      const lines = await prune(scratch, { daily: 5 }, { selection: { glob: '?' } });
      assert.deepEqual(lines, [
        'b.checkpoint.1 keep-checkpoint',
        'b.checkpoint pruned 1/2',
        'a daily 1',
        'a.checkpoint pruned 2/2',
      ]);
      assert.deepEqual(await namesOf(scratch), ['a', 'b.checkpoint.1']);
    }));

  it('deletes checkpoints that a whole archive has come after', () =>
    withArchives(['a.checkpoint', 'a'], async (scratch) => {
      assert.deepEqual(await prune(scratch, { daily: 1 }), ['a daily 1', 'a.checkpoint pruned 1/1']);
    }));

  it('commits what it did when it is interrupted, and goes on the next time', () =>
    withArchives(['a', 'b', 'c', 'd'], async (scratch) => {
      const stop = new AbortController();
      const ctx = scratch.context({ signal: stop.signal });
      const onArchive = ({ archive }: PrunedArchive) => {
        if (archive.name === 'd') stop.abort();
      };
      await assert.rejects(prune(scratch, { daily: 1 }, { onArchive }, ctx), /Got Ctrl-C/);
      assert.deepEqual(await namesOf(scratch), ['a', 'b', 'c', 'd']);
      const second = new AbortController();
      const failing = scratch.context({ signal: second.signal });
      const after = ({ fate }: PrunedArchive) => {
        if (fate.kind === 'prune') second.abort();
      };
      await assert.rejects(
        prune(scratch, { daily: 1 }, { onArchive: after, checkpointIntervalSeconds: 1e-9 }, failing),
      );
      assert.deepEqual(await namesOf(scratch), ['a', 'b', 'd']);
      await prune(scratch, { daily: 1 });
      assert.deepEqual(await namesOf(scratch), ['d']);
    }));
});
