import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { ByteCache } from '../../src/util/byte-cache.ts';

test('ByteCache keeps what was used last, as a naive list does, within its bound', () => {
  const step = fc.record({ key: fc.nat(9), size: fc.nat(60), does: fc.constantFrom('set', 'get', 'delete') });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const cache = new ByteCache<number>(100);
      let model: { key: number; size: number }[] = [];
      for (const { key, size, does } of steps) {
        const known = model.find((entry) => entry.key === key);
        if (does === 'get') assert.equal(cache.get(key)?.length, known?.size);
        else if (does === 'set') cache.set(key, new Uint8Array(size));
        else cache.delete(key);
        if (does !== 'get' || known !== undefined) model = model.filter((entry) => entry.key !== key);
        if (does === 'set') model.push({ key, size });
        if (does === 'get' && known !== undefined) model.push(known);
        const total = () => model.reduce((sum, entry) => sum + entry.size, 0);
        while (total() > 100) model.shift();
        assert.equal(cache.sizeBytes, total());
        assert.equal(cache.count, model.length);
      }
    }),
  );
});

test('ByteCache never keeps what is larger than its bound, and drops what had the key', () => {
  const cache = new ByteCache<string>(10);
  cache.set('a', new Uint8Array(10));
  cache.set('a', new Uint8Array(11));
  assert.equal(cache.has('a'), false);
  assert.equal(cache.sizeBytes, 0);
});
