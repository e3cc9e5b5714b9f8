import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { listTree } from '../tree-listing.ts';
import { Workspace } from '../workspace.ts';
import { noise } from '../noise.ts';

const specs = [
  'none',
  'lz4',
  'zstd',
  'zstd,1',
  'zstd,12',
  'zstd,22',
  'zlib',
  'zlib,0',
  'zlib,9',
  'lzma',
  'lzma,0',
  'lzma,9',
  'auto,lz4',
  'auto,zstd,10',
  'auto,zlib,6',
  'auto,lzma,2',
  'obfuscate,1,lz4',
  'obfuscate,6,zstd,3',
  'obfuscate,110,none',
  'obfuscate,123,auto,lzma,0',
];

/** Some of it compresses, some does not, and no two seeds share a chunk. */
function buildTree(path: string, seed: number): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  writeFileSync(`${path}/text`, `line of text ${seed}\n`.repeat(20_000));
  writeFileSync(`${path}/noise`, noise(150_000, seed));
  writeFileSync(`${path}/mixed`, Buffer.concat([noise(20_000, seed + 1000), Buffer.alloc(300_000, seed)]));
  writeFileSync(`${path}/tiny`, String(seed));
}

for (const [writer, reader] of [
  ['alcove', 'borg'],
  ['borg', 'alcove'],
] as const) {
  describe(`what ${writer} compressed`, () => {
    it(`is read by ${reader}, for each of ${specs.length} compressions`, () => {
      using space = new Workspace();
      const repository = space.join('repo');
      space[writer](['init', '--encryption', 'repokey-blake2', repository]);
      for (const [index, spec] of specs.entries()) {
        buildTree(space.join('tree'), index + 1);
        const before = listTree(space.join('tree'));
        const archive = `${repository}::${spec.replaceAll(',', '-')}`;
        space[writer](['create', '--compression', spec, archive, 'tree']);
        mkdirSync(space.join(spec));
        space[reader](['extract', archive], { cwd: space.join(spec) });
        assert.deepEqual(listTree(space.join(spec, 'tree')), before, spec);
      }
      space.borg(['check', '--verify-data', repository]);
    });
  });
}
