import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Batch, StepsInOrder } from '../../../src/archive/extract/steps-in-order.ts';

function manualBatch(): Batch & { settle(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isSettled = false;
  const settle = () => {
    isSettled = true;
    resolve();
  };
  return {
    settled: promise,
    get isSettled() {
      return isSettled;
    },
    settle,
  };
}

test('StepsInOrder ends steps in their order, whichever batch is settled first', async () => {
  const [one, two] = [manualBatch(), manualBatch()];
  const steps = new StepsInOrder();
  const ended: string[] = [];
  const push = (name: string, batch?: Batch) => steps.push({ batch, end: () => void ended.push(name) });
  push('before');
  push('one', one);
  push('between');
  push('two', two);
  push('after');
  await steps.endReady();
  assert.deepEqual(ended, ['before']);
  two.settle();
  await steps.endReady();
  assert.deepEqual(ended, ['before']);
  const all = steps.endAll();
  one.settle();
  await all;
  assert.deepEqual(ended, ['before', 'one', 'between', 'two', 'after']);
  assert.equal(steps.count, 0);
});

test('StepsInOrder waits for a step that takes time, and throws what it throws', async () => {
  const steps = new StepsInOrder();
  const ended: string[] = [];
  steps.push({
    end: async () => {
      await Promise.resolve();
      ended.push('slow');
    },
  });
  steps.push({ end: () => void ended.push('quick') });
  steps.push({ end: () => Promise.reject(new Error('this one')) });
  steps.push({ end: () => void ended.push('never') });
  await assert.rejects(steps.endAll(), /^Error: this one$/);
  assert.deepEqual(ended, ['slow', 'quick']);
});
