import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkerPool } from '../../src/pipeline/worker-pool.ts';
import { workerFile } from '../../src/pipeline/worker-thread.ts';
import type { PoolRequest, PoolStart } from './pool-worker.ts';

function createPool(threads: number) {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const pool = new WorkerPool<PoolStart, PoolRequest, { batch: number }>(
    workerFile('pool', import.meta.url),
    { state: state.buffer },
    threads,
  );
  const ask = (task: PoolRequest['task']): Promise<number> =>
    new Promise((resolve, reject) => {
      pool.send((batch) => ({ message: { batch, task } }), {
        take: ({ batch }) => {
          resolve(batch);
          return true;
        },
        reject,
      });
    });
  return { pool, state, ask };
}

describe('WorkerPool', () => {
  it('gives each batch its answer', async () => {
    const { pool, ask } = createPool(2);
    await using _ = pool;
    assert.deepEqual(await Promise.all([ask('answer'), ask('answer'), ask('answer')]), [0, 1, 2]);
  });

  it('tells of a broken thread only when the others have ended', async () => {
    const { pool, state, ask } = createPool(2);
    await using _ = pool;
    const waiting = ask('wait').finally(() => assert.equal(state[1], 1, 'the other thread is still at work'));
    const broken = ask('break');
    await assert.rejects(waiting, /broken/);
    await assert.rejects(broken, /broken/);
    await assert.rejects(ask('answer'), /broken/);
  });

  it('rejects what is under way when it is disposed of', async () => {
    const { pool, state, ask } = createPool(1);
    const waiting = assert.rejects(ask('wait'), /the threads were ended/);
    await Atomics.waitAsync(state, 0, 0).value;
    await pool[Symbol.asyncDispose]();
    assert.equal(state[1], 1);
    await waiting;
  });
});
