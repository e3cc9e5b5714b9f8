import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Change } from '../../../src/archive/diff/change.ts';
import type { PathDiff } from '../../../src/archive/diff/compare-archives.ts';
import { formatDiffJson, formatDiffLine } from '../../../src/archive/diff/format-diff.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';

process.env['TZ'] = 'UTC';

function diff(...changes: Change[]): PathDiff {
  return { path: fromUtf8('the/path'), before: undefined, after: undefined, equal: false, changes };
}

describe('formatDiffLine() and formatDiffJson()', () => {
  const cases: readonly (readonly [Change[], string, string])[] = [
    [
      [{ type: 'added', sizeBytes: 1_234_567 }],
      'added       1.23 MB the/path',
      '{"size": 1234567, "type": "added"}',
    ],
    [[{ type: 'removed', sizeBytes: 5 }], 'removed         5 B the/path', '{"size": 5, "type": "removed"}'],
    [
      [{ type: 'modified', addedBytes: 0, removedBytes: 252 }],
      '      0 B    -252 B the/path',
      '{"added": 0, "removed": 252, "type": "modified"}',
    ],
    [
      [{ type: 'modified', addedBytes: 5000, removedBytes: 0 }],
      '  +5.0 kB       0 B the/path',
      '{"added": 5000, "removed": 0, "type": "modified"}',
    ],
    [[{ type: 'modified' }], 'modified            the/path', '{"type": "modified"}'],
    [[{ type: 'modified', addedBytes: 0, removedBytes: 0 }], '                    the/path', ''],
    [[{ type: 'changed link' }], 'changed link        the/path', '{"type": "changed link"}'],
    [
      [{ type: 'owner', oldUser: Uint8Array.of(0xff), oldGroup: 7, newUser: null, newGroup: fromUtf8('ü') }],
      '[\udcff:7 -> None:ü]     the/path',
      '{"new_group": "\\u00fc", "new_user": null, "old_group": 7, "old_user": "\\udcff", "type": "owner"}',
    ],
    [
      [{ type: 'mode', oldMode: 0o100644, newMode: 0o104755 }],
      '[-rw-r--r-- -> -rwsr-xr-x] the/path',
      '{"new_mode": "-rwsr-xr-x", "old_mode": "-rw-r--r--", "type": "mode"}',
    ],
    [
      [{ type: 'ctime', oldNs: 0n, newNs: 1_500_000_000_123_456_789n }],
      '[ctime: Thu, 1970-01-01 00:00:00 -> Fri, 2017-07-14 02:40:00] the/path',
      '{"new_ctime": "2017-07-14T02:40:00.123457", "old_ctime": "1970-01-01T00:00:00.000000", "type": "ctime"}',
    ],
  ];
  for (const [changes, line, json] of cases) {
    it(`write ${JSON.stringify(line)}`, () => {
      assert.equal(formatDiffLine(diff(...changes)), `${line}\n`);
      assert.equal(formatDiffJson(diff(...changes)), `{"changes": [${json}], "path": "the/path"}\n`);
    });
  }

  it('part changes by spaces, and leave out bytes of paths that are no UTF-8', () => {
    const changes: Change[] = [
      { type: 'added link' },
      { type: 'mode', oldMode: 0o100600, newMode: 0o120777 },
    ];
    const both = { ...diff(...changes), path: Uint8Array.of(0x61, 0xff) };
    assert.equal(formatDiffLine(both), 'added link [-rw------- -> lrwxrwxrwx] a?\n');
  });
});
