import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OverlappingWork } from '../../src/util/overlapping-work.ts';

describe('OverlappingWork', () => {
  it('add() waits while as many pieces as allowed are under way', async () => {
    const work = new OverlappingWork(2);
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    await work.add(first.promise);
    let mayGoOn = false;
    const added = work.add(second.promise).then(() => (mayGoOn = true));
    await Promise.resolve();
    assert.equal(mayGoOn, false);
    first.resolve();
    await added;
    second.resolve();
    await work.finish();
  });

  it('finish() throws the first error, after all is done', async () => {
    const work = new OverlappingWork(10);
    const slow = Promise.withResolvers<void>();
    let isDone = false;
    await work.add(slow.promise.then(() => void (isDone = true)));
    await work.add(Promise.reject(new Error('first')));
    setImmediate(() => slow.resolve());
    await assert.rejects(work.finish(), { message: 'first' });
    assert.equal(isDone, true);
  });

  it('add() throws what an earlier piece threw', async () => {
    const work = new OverlappingWork(1);
    await assert.rejects(work.add(Promise.reject(new Error('late'))), { message: 'late' });
    await assert.rejects(work.add(Promise.resolve()), { message: 'late' });
    await work.idle();
  });
});
