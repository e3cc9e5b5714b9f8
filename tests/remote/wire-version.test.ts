import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BORG_VERSION } from '../../src/cli/version.ts';
import {
  compareWireVersions,
  decodeWireVersion,
  formatWireVersion,
  parseWireVersion,
  SPOKEN_VERSION,
} from '../../src/remote/wire-version.ts';

const versions: [string, number[]][] = [
  ['1.0.8', [1, 0, 8, -1]],
  ['1.1.0a4', [1, 1, 0, -4, 4]],
  ['1.1.0b3', [1, 1, 0, -3, 3]],
  ['1.1.0rc12', [1, 1, 0, -2, 12]],
  ['1.1.0', [1, 1, 0, -1]],
  ['1.4.5', [1, 4, 5, -1]],
];

describe('a wire version', () => {
  for (const [text, parts] of versions) {
    it(`of ${text} is ${parts.join(' ')}, and back`, () => {
      assert.deepEqual(parseWireVersion(text), parts);
      assert.equal(formatWireVersion(parts), text);
      assert.deepEqual(decodeWireVersion(parts), parts);
    });
  }

  it('of what development builds call themselves is that of the release', () => {
    assert.deepEqual(parseWireVersion('1.4.5.dev3+g1234'), [1, 4, 5, -9, 3]);
    assert.equal(formatWireVersion([1, 4, 5, -9, 3]), '1.4.5.dev3');
  });

  it('is ours as the command line gives it', () => {
    assert.deepEqual(SPOKEN_VERSION, parseWireVersion(BORG_VERSION));
  });

  it('is older or newer than another', () => {
    const parsed = versions.map(([text]) => parseWireVersion(text));
    assert.deepEqual(parsed.toReversed().toSorted(compareWireVersions), parsed);
    assert.equal(compareWireVersions([1, 4, 5, -1], [1, 4, 5, -1]), 0);
  });

  it('is refused where it is none', () => {
    assert.throws(() => parseWireVersion('1.4'), RangeError);
    const odd = [undefined, null, 2, [], ['1'], [1.5], [2n ** 60n], Array.from({ length: 9 }, () => 1)];
    for (const value of odd) assert.equal(decodeWireVersion(value), undefined);
  });
});
