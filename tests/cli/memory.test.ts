/** How much memory a backup and a restore take, whatever the size of the files. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { runMeasured } from '../peak-memory.ts';
import { Workspace } from '../workspace.ts';

const MIB = 2 ** 20;
const MAX_PEAK_BYTES = 250 * MIB;
/**
 * Of ten thousand small files: some 180 MiB, and a few more or less by how far the heaps had grown when they were told not
 * to. A file in flight costs some kilobytes: all at once would take 50 MiB more.
 */
const MAX_PEAK_OF_MANY_BYTES = 215 * MIB;

test(
  'create and extract take no more memory for large files',
  { skip: process.platform === 'linux' ? false : 'reads /proc' },
  () => {
    using space = new Workspace();
    const tree = space.join('tree');
    mkdirSync(tree);
    const random = randomFillSync(Buffer.alloc(300 * MIB));
    writeFileSync(`${tree}/random`, random);
    writeFileSync(`${tree}/sparse`, '');
    truncateSync(`${tree}/sparse`, 1024 * MIB);
    const repository = space.join('repo');
    space.alcove(['init', '--encryption', 'repokey', repository]);

    const created = runMeasured(space, ['create', `${repository}::one`, 'tree']);
    assert.ok(created.peakBytes < MAX_PEAK_BYTES, `create took ${Math.round(created.peakBytes / MIB)} MiB`);

    mkdirSync(space.join('out'));
    const extract = ['extract', '--sparse', `${repository}::one`];
    const extracted = runMeasured(space, extract, { cwd: space.join('out') });
    assert.ok(
      extracted.peakBytes < MAX_PEAK_BYTES,
      `extract took ${Math.round(extracted.peakBytes / MIB)} MiB`,
    );
    assert.ok(random.equals(readFileSync(space.join('out/tree/random'))));
    const sparse = statSync(space.join('out/tree/sparse'));
    assert.equal(sparse.size, 1024 * MIB);
    assert.equal(sparse.blocks, 0);
  },
);

test(
  'create and extract take no more memory for many files',
  { skip: process.platform === 'linux' ? false : 'reads /proc' },
  () => {
    using space = new Workspace();
    for (let folder = 0; folder < 50; folder++) {
      mkdirSync(space.join(`tree/${folder}`), { recursive: true });
      for (let file = 0; file < 200; file++) {
        writeFileSync(space.join(`tree/${folder}/${file}`), `${folder} ${file} `.repeat(100 + file));
      }
    }
    const repository = space.join('repo');
    space.alcove(['init', '--encryption', 'repokey', repository]);
    mkdirSync(space.join('out'));
    for (const [args, cwd] of [
      [['create', `${repository}::one`, 'tree'], space.path],
      [['create', `${repository}::two`, 'tree'], space.path],
      [['extract', `${repository}::one`], space.join('out')],
    ] as const) {
      const { peakBytes } = runMeasured(space, args, { cwd });
      assert.ok(
        peakBytes < MAX_PEAK_OF_MANY_BYTES,
        `${args.join(' ')} took ${Math.round(peakBytes / MIB)} MiB`,
      );
    }
  },
);
