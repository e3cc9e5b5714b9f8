import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HintsError, decodeHints, encodeHints } from '../../src/format/hints.ts';
import type { Hints } from '../../src/format/hints.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { toHex } from '../../src/util/bytes.ts';

const key = '\u00ff\u0001'.repeat(16);
const sample: Hints = {
  segments: new Map([
    [0, 3],
    [1, 0],
  ]),
  compact: new Map([[1, 9]]),
  storageQuotaUseBytes: 300,
  shadowIndex: new Map([[key, [0, 7]]]),
};

describe('hints', () => {
  it('encodeHints() gives the bytes that Borg packs', () => {
    const hex =
      '85a776657273696f6e02a87365676d656e7473' +
      '8200030100' +
      'a7636f6d70616374' +
      '810109' +
      'b173746f726167655f71756f74615f757365cd012c' +
      'ac736861646f775f696e646578' +
      `81da0020${'ff01'.repeat(16)}920007`;
    assert.equal(toHex(encodeHints(sample)), hex);
  });

  it('decodeHints() reads them back', () => {
    assert.deepEqual(decodeHints(encodeHints(sample)), { version: 2, ...sample });
  });

  it('decodeHints() takes absent quota use and shadow index as empty', () => {
    const hints = decodeHints(encode({ version: 2, segments: new Map(), compact: new Map() }));
    assert.ok(hints.version === 2);
    assert.deepEqual([hints.storageQuotaUseBytes, hints.shadowIndex.size], [0, 0]);
  });

  it('decodeHints() reads version 1, whose compact is a list', () => {
    const bytes = encode({ version: 1, segments: new Map([[4, 2]]), compact: [4, 5] });
    assert.deepEqual(decodeHints(bytes), { version: 1, segments: new Map([[4, 2]]), sparse: [4, 5] });
  });

  const good = {
    version: 2,
    segments: new Map(),
    compact: new Map(),
    storage_quota_use: 0,
    shadow_index: new Map(),
  };
  const damaged: [name: string, value: MsgpackValue][] = [
    ['a list', []],
    ['an unknown version', { ...good, version: 3 }],
    ['no version', { segments: new Map(), compact: new Map() }],
    ['segments as a list', { ...good, segments: [] }],
    ['a count that is text', { ...good, segments: new Map([[1, 'x']]) }],
    ['a segment beyond 32 bits', { ...good, segments: new Map([[2 ** 32, 1]]) }],
    ['a segment that is text', { ...good, compact: new Map([['1', 1]]) }],
    ['quota use that is text', { ...good, storage_quota_use: 'x' }],
    ['a shadow key of 31 bytes', { ...good, shadow_index: new Map([['x'.repeat(31), [1]]]) }],
    ['shadowed segments that are no list', { ...good, shadow_index: new Map([[key, 1]]) }],
    ['a shadowed segment that is negative', { ...good, shadow_index: new Map([[key, [-1]]]) }],
  ];
  for (const [name, value] of damaged) {
    it(`decodeHints() rejects ${name}`, () => {
      assert.throws(() => decodeHints(encode(value)), HintsError);
    });
  }

  it('decodeHints() rejects bytes that are cut anywhere', () => {
    const bytes = encodeHints(sample);
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => decodeHints(bytes.subarray(0, end)), HintsError, `cut at ${end}`);
    }
  });
});
