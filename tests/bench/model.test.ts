import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MODEL_ROWS, modelledSeconds, modelOf } from '../../bench/model.ts';
import { ROWS } from '../../bench/rows.ts';

const RUNS = {
  seconds: [6, 5, 7],
  cpuSeconds: [8, 9, 10],
  otherThreadsSeconds: [6, 7, 8],
  peakBytes: [1, 1, 1],
};

test('modelOf() tells the main thread from the others, by the medians of the runs', () => {
  assert.deepEqual(modelOf(RUNS), { mainSeconds: 2, otherThreadsSeconds: 7, enoughCores: 4.5 });
});

test('modelOf() says nothing of runs that do not tell threads apart', () => {
  const { otherThreadsSeconds: _, ...older } = RUNS;
  assert.equal(modelOf(older), undefined);
});

test('modelledSeconds() divides all work among the cores until the main thread is what takes longest', () => {
  const model = modelOf(RUNS)!;
  assert.deepEqual(
    [1, 2, 4, 8, 16].map((cores) => modelledSeconds(model, cores)),
    [9, 4.5, 2.25, 2, 2],
  );
});

test('MODEL_ROWS are rows of the benchmark', () => {
  const names = new Set(ROWS.map(({ name }) => name));
  for (const name of MODEL_ROWS) assert.ok(names.has(name), name);
});
