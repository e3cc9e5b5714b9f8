import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Limits } from '../../bench/limits.ts';
import { limitSeconds } from '../../bench/limits.ts';
import type { ProgramRuns, RowsReport } from '../../bench/results.ts';
import { growthTable, rowsTable } from '../../bench/table.ts';

const machine = { system: 'Linux', kernel: '6', processor: 'one', cores: 2, memoryBytes: 1, node: '24' };

function runsOf(...seconds: number[]): ProgramRuns {
  return { seconds, cpuSeconds: seconds, peakBytes: seconds.map(() => 3 * 2 ** 20) };
}

const report: RowsReport = {
  schema: 1,
  kind: 'rows',
  startedAt: '2026-01-01T00:00:00.000Z',
  scale: 1,
  runs: 3,
  caches: 'warm',
  load: [0, 0],
  machine,
  programs: ['alcove', 'borg', 'restic'].map((name) => ({ name, version: name })),
  missing: [],
  rows: [
    {
      name: 'one',
      title: 'first',
      target: 2,
      limitSeconds: 0.5,
      programs: { alcove: runsOf(3, 1, 2), borg: runsOf(9, 9, 9), restic: runsOf(3, 3, 3) },
    },
    { name: 'two', title: 'second', programs: { alcove: runsOf(1) }, failed: ['borg'] },
  ],
};

describe('rowsTable()', () => {
  const [, , first, second] = rowsTable(report)
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('shows medians with the least and the most, and a ratio to the faster of the others', () => {
    assert.deepEqual(first!.slice(1, 7), [
      'first',
      '2.00 (1.00–3.00)',
      '9.00 (9.00–9.00)',
      '3.00 (3.00–3.00)',
      '1.50',
      '2, missed',
    ]);
  });

  it('shows processor time and memory of all, and how far the limit is', () => {
    assert.deepEqual(first!.slice(7, 10), ['2.00 / 9.00 / 3.00', '3 / 3 / 3', '0.50 (×4.0)']);
  });

  it('shows what failed, and what there is not', () => {
    assert.deepEqual(second!.slice(2, 6), ['1.00 (1.00–1.00)', 'failed', '–', '']);
  });
});

describe('growthTable()', () => {
  it('tells what one more takes', () => {
    const points = [
      { size: 1000, seconds: 1, peakBytes: 2 ** 20 },
      { size: 3000, seconds: 6, peakBytes: 2 ** 20 + 4000 },
    ];
    const table = growthTable({
      schema: 1,
      kind: 'growth',
      startedAt: report.startedAt,
      load: [0, 0],
      machine,
      version: '1',
      series: [{ title: 'list', unit: 'file', points }],
    });
    const cells = table.split('\n').at(-1)!.split('|');
    assert.deepEqual(
      cells.slice(1, -1).map((cell) => cell.trim()),
      ['list', '3,000 files', '6.00', '2000.00 µs', '1', '2'],
    );
  });
});

describe('limitSeconds()', () => {
  const limits = { threads: 2, compressionRatio: 0.5, speeds: { read: 100, write: 10 } } as unknown as Limits;

  it('adds up the steps, and counts what comes after compression by what is left', () => {
    assert.equal(limitSeconds({ read: 200, write: { unpacked: 40 } }, limits), 4);
  });

  it('tells none for a row without steps', () => {
    assert.equal(limitSeconds({}, limits), undefined);
  });
});
