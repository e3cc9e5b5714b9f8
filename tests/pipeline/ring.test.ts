import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { Ring } from '../../src/pipeline/ring.ts';
import { WorkerControl, WorkerStopped } from '../../src/pipeline/worker-control.ts';

test('reserve() never hands out a place that is not released yet', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 1200 }), fc.constant('release' as const)), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, (actions) => {
      const control = new WorkerControl();
      const ring = new Ring(new SharedArrayBuffer(1000), control);
      const held: { bytes: Uint8Array; costBytes: number; mark: number }[] = [];
      let mark = 0;
      const release = (): void => {
        const oldest = held.shift();
        if (oldest === undefined) return;
        // Nobody else wrote here in the meantime.
        assert.ok(oldest.bytes.every((byte) => byte === oldest.mark));
        control.release(oldest.costBytes);
      };
      for (const action of actions) {
        if (action === 'release') {
          release();
          continue;
        }
        const place = ring.reserve(action, () => {
          while (held.length > 0) release();
        });
        assert.equal(place.bytes.length, action);
        assert.equal(place.large === undefined, action <= 1000);
        mark = (mark + 1) % 256;
        place.bytes.fill(mark);
        // Every third size is found to be more than was wanted.
        const bytes = place.bytes.subarray(0, action % 3 === 0 ? action / 3 : action);
        const costBytes = place.costBytes - ring.shorten(place, bytes.length);
        held.push({ bytes, costBytes, mark });
      }
      while (held.length > 0) release();
      assert.ok(control.nothingInFlight);
    }),
  );
});

test('shorten() gives back the end of the last place', () => {
  const control = new WorkerControl();
  const ring = new Ring(new SharedArrayBuffer(1000), control);
  const first = ring.reserve(600, fails);
  assert.equal(ring.shorten(first, 200), 400);
  const second = ring.reserve(800, fails);
  assert.equal(second.offset, 200);
  assert.equal(ring.shorten(second, 100), 700);
  control.release(first.costBytes - 400);
  control.release(second.costBytes - 700);
  assert.ok(control.nothingInFlight);
});

const fails = (): never => assert.fail('there is room');

test('reserve() begins at the beginning again when nothing is in flight', () => {
  const control = new WorkerControl();
  const ring = new Ring(new SharedArrayBuffer(1000), control);
  assert.equal(ring.reserve(100, fails).offset, 0);
  assert.equal(ring.reserve(100, fails).offset, 100);
  control.release(100);
  assert.equal(ring.reserve(100, fails).offset, 200);
  control.release(200);
  assert.equal(ring.reserve(100, fails).offset, 0);
});

test('acquire() gives up where the worker is to stop', () => {
  const control = new WorkerControl();
  control.acquire(900, 1000);
  control.stop();
  assert.throws(() => control.acquire(200, 1000), WorkerStopped);
});

test('awaitLease() gives the first nonce as an unsigned number', () => {
  const control = new WorkerControl();
  for (const first of [0n, 5n, 2n ** 63n + 1n]) {
    assert.equal(
      control.awaitLease(() => control.grantLease(first)),
      first,
    );
  }
});
