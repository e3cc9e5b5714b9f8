import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { archiveLine, nameColumns } from '../../src/cli/output/archive-line.ts';
import { textWidth } from '../../src/cli/output/width.ts';
import { FakeOutput } from './fake-io.ts';

const archive = (name: string) => ({ name, timeNs: 0n, id: new Uint8Array(32) });
const names = ['monday', '資料', 'a-machine-with-a-very-long-name-2026-11-22T14:43:50', '😀'];

describe('archiveLine()', () => {
  it('lines up at a terminal, whatever the names', () => {
    const columns = nameColumns(names, new FakeOutput(80));
    const ends = names.map((name) => textWidth(archiveLine(archive(name), columns).split(' [')[0]!));
    assert.equal(new Set(ends).size, 1);
    assert.equal(columns, names[2]!.length);
  });

  it("has Borg's 36 characters elsewhere", () => {
    const columns = nameColumns(names, new FakeOutput());
    assert.equal(columns, undefined);
    const starts = names.map((name) => Array.from(archiveLine(archive(name), columns)).indexOf(','));
    assert.deepEqual(starts, [40, 40, 55, 40]);
  });
});
