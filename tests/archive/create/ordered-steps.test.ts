import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OrderedSteps, type Step } from '../../../src/archive/create/ordered-steps.ts';

/** Steps that write their names down when they end. */
function recorder() {
  const steps = new OrderedSteps();
  const ended: string[] = [];
  const add = (name: string, ready?: Promise<void>, then?: () => void): void => {
    const step: Step = {
      finish: () => {
        ended.push(name);
        then?.();
      },
    };
    if (ready !== undefined) {
      step.isReady = false;
      void ready.then(() => (step.isReady = true));
    }
    steps.push(step);
  };
  return { steps, ended, add };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('OrderedSteps', () => {
  it('ends a step at once where none is before it', () => {
    const { ended, add } = recorder();
    add('a');
    add('b');
    assert.deepEqual(ended, ['a', 'b']);
  });

  it('ends no step before those that were added earlier', async () => {
    const { steps, ended, add } = recorder();
    const slow = Promise.withResolvers<void>();
    add('slow', slow.promise);
    add('quick', Promise.resolve());
    add('at once');
    await settled();
    steps.run();
    assert.deepEqual(ended, []);
    assert.equal(steps.length, 3);
    slow.resolve();
    await settled();
    steps.run();
    assert.deepEqual(ended, ['slow', 'quick', 'at once']);
    assert.equal(steps.length, 0);
  });

  it('puts steps that a step adds right behind it', async () => {
    const { steps, ended, add } = recorder();
    const slow = Promise.withResolvers<void>();
    add('first', Promise.resolve(), () => {
      add('nested');
      add('nested slow', slow.promise);
      add('nested last');
    });
    add('second', Promise.resolve());
    await settled();
    steps.run();
    assert.deepEqual(ended, ['first', 'nested']);
    slow.resolve();
    await settled();
    steps.run();
    assert.deepEqual(ended, ['first', 'nested', 'nested slow', 'nested last', 'second']);
  });

  it('runAllReady() ends what is ready behind what is not', async () => {
    const { steps, ended, add } = recorder();
    const slow = Promise.withResolvers<void>();
    add('slow', slow.promise);
    add('quick', Promise.resolve(), () => add('nested'));
    add('at once');
    await settled();
    steps.runAllReady();
    assert.deepEqual(ended, ['quick', 'nested', 'at once']);
    assert.equal(steps.length, 1);
    slow.resolve();
    await settled();
    steps.run();
    assert.deepEqual(ended.at(-1), 'slow');
  });
});
