import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unlessAborted } from '../../src/util/abortable.ts';

describe('unlessAborted()', () => {
  it('gives what the work gives, or its error', async () => {
    const { signal } = new AbortController();
    assert.equal(await unlessAborted(Promise.resolve(5), signal), 5);
    await assert.rejects(unlessAborted(Promise.reject(new Error('no')), signal), { message: 'no' });
  });

  it('throws the reason as soon as the signal is aborted, before or meanwhile', async () => {
    const controller = new AbortController();
    const never = Promise.withResolvers<void>().promise;
    const waiting = unlessAborted(never, controller.signal);
    controller.abort(new Error('stop'));
    await assert.rejects(waiting, { message: 'stop' });
    await assert.rejects(unlessAborted(never, controller.signal), { message: 'stop' });
  });
});
