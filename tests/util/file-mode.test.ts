import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFileMode } from '../../src/util/file-mode.ts';

for (const [mode, expected] of [
  [0o100644, '-rw-r--r--'],
  [0o040755, 'drwxr-xr-x'],
  [0o120777, 'lrwxrwxrwx'],
  [0o104755, '-rwsr-xr-x'],
  [0o106644, '-rwSr-Sr--'],
  [0o041777, 'drwxrwxrwt'],
  [0o041666, 'drw-rw-rwT'],
  [0o060000, 'b---------'],
  [0o020001, 'c--------x'],
  [0o010200, 'p-w-------'],
  [0o140000, 's---------'],
  [0, '?---------'],
] as const) {
  test(`formatFileMode() shows ${mode.toString(8)} as ${expected}`, () => {
    assert.equal(formatFileMode(mode), expected);
  });
}
