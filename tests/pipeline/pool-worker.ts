/** A worker for tests of WorkerPool: waits until it is to stop, breaks, or answers. */
import { parentPort, workerData } from 'node:worker_threads';
import { WorkerControl } from '../../src/pipeline/worker-control.ts';
import { type SharedMemory, takeMessages } from '../../src/pipeline/worker-thread.ts';

export interface PoolRequest {
  readonly batch: number;
  readonly task: 'answer' | 'break' | 'wait';
}

export interface PoolStart extends SharedMemory {
  /** Word 0: a thread waits; word 1: it has left. */
  readonly state: SharedArrayBuffer;
}

const port = parentPort!;
const start = workerData as PoolStart;
const control = new WorkerControl(start.control);
const state = new Int32Array(start.state);

takeMessages<PoolRequest>(port, control, ({ batch, task }) => {
  if (task === 'break') {
    Atomics.wait(state, 0, 0);
    throw new Error('broken');
  }
  if (task === 'wait') {
    Atomics.store(state, 0, 1);
    Atomics.notify(state, 0);
    while (!control.isStopped) Atomics.wait(state, 1, 0, 10);
    // Long enough for somebody who does not wait for it to be seen.
    Atomics.wait(state, 1, 0, 200);
    Atomics.store(state, 1, 1);
  }
  port.postMessage({ batch });
});
