// The most memory that create and extract take for one huge file, by hand: `node bench/memory.mjs [sizeGiB]`.
// Needs twice the size of free space below TMPDIR (a random file and its repository, which what is extracted then
// replaces), and takes some seconds for each GiB. Linux only.
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { runMeasured } from '../tests/peak-memory.ts';
import { Workspace } from '../tests/workspace.ts';

const MIB = 2 ** 20;
const sizeGiB = Number(process.argv[2] ?? 4);
if (!(sizeGiB > 0)) throw new RangeError(`size in GiB: ${process.argv[2]}`);

const makers = {
  sparse(fd) {
    // Some data in it, so that it is not all one chunk.
    for (let at = 0; at < sizeGiB; at++)
      writeSync(fd, randomFillSync(Buffer.alloc(MIB)), 0, MIB, at * 1024 * MIB);
  },
  random(fd) {
    const block = Buffer.alloc(16 * MIB);
    for (let at = 0; at < sizeGiB * 64; at++) writeSync(fd, randomFillSync(block));
  },
};

for (const [kind, make] of Object.entries(makers)) {
  using space = new Workspace();
  mkdirSync(space.join('tree'));
  const path = space.join('tree/file');
  const fd = openSync(path, 'w');
  make(fd);
  closeSync(fd);
  truncateSync(path, Math.round(sizeGiB * 1024) * MIB);
  const repository = space.join('repo');
  space.alcove(['init', '--encryption', 'repokey', repository]);
  report(kind, 'create', () => runMeasured(space, ['create', `${repository}::one`, 'tree']));
  rmSync(path);
  const extract = ['extract', '--sparse', `${repository}::one`];
  report(kind, 'extract', () => runMeasured(space, extract));
}

function report(kind, command, run) {
  const startMs = performance.now();
  const { peakBytes } = run();
  const seconds = (performance.now() - startMs) / 1000;
  const mebibytes = Math.round(peakBytes / MIB);
  console.log(`${sizeGiB} GiB ${kind}: ${command} took ${mebibytes} MiB at most, ${seconds.toFixed(1)} s`);
}
