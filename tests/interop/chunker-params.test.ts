import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { describe, it } from 'node:test';

import { Workspace } from '../workspace.ts';
import type { Program } from '../workspace.ts';
import { noise } from '../noise.ts';

const params = [
  'default',
  'buzhash,10,23,16,4095',
  'buzhash,10,16,12,15',
  'buzhash,19,23,21,4095',
  'buzhash,8,12,10,1025',
  'fixed,4096',
  'fixed,65536,512',
  'fixed,4194304',
];

function buildTree(path: string): void {
  mkdirSync(path);
  for (const size of [0, 1, 255, 256, 1023, 1024, 1025, 4096, 65_535, 65_536, 66_048, 3_000_001]) {
    writeFileSync(`${path}/noise-${size}`, noise(size, size + 1));
  }
  writeFileSync(`${path}/zeros`, Buffer.alloc(1_500_000));
  const fd = openSync(`${path}/holes`, 'w');
  for (const position of [0, 2 << 20, 7 << 20])
    writeSync(fd, noise(30_000, position + 3), 0, 30_000, position);
  ftruncateSync(fd, 9 << 20);
  closeSync(fd);
}

/** Paths with the number and sizes of their chunks, as `list` tells. */
function chunkCounts(program: Program, archive: string): string {
  return program(['list', '--format', '{num_chunks} {csize} {size} {path}{NL}', archive]).stdout;
}

describe('both programs cut at the same places', () => {
  for (const spec of params) {
    it(`with --chunker-params=${spec}, also with --sparse`, () => {
      using space = new Workspace();
      const repository = space.join('repo');
      buildTree(space.join('tree'));
      space.borg(['init', '--encryption', 'repokey', repository]);
      for (const sparse of [[], ['--sparse']]) {
        const options = ['--chunker-params', spec, '--files-cache', 'disabled', ...sparse];
        const name = (program: string) => `${repository}::${program}${sparse.length}`;
        space.borg(['create', ...options, name('borg'), 'tree']);
        space.alcove(['create', ...options, name('alcove'), 'tree']);
        assert.equal(chunkCounts(space.borg, name('alcove')), chunkCounts(space.borg, name('borg')));
        // Cuts differ if and only if the second program had to store something of the files.
        const { stdout } = space.borg(['info', '--json', name('alcove')]);
        const { archives } = JSON.parse(stdout) as { archives: { stats: { deduplicated_size: number } }[] };
        assert.ok(archives[0]!.stats.deduplicated_size < 6000, stdout);
      }
      space.borg(['check', '--verify-data', repository]);
    });
  }
});
