/**
 * A mounted archive, beside the reference's mount: `node bench/mount.mjs REPOSITORY::ARCHIVE FILE [ROUNDS]`, as root, with
 * ALCOVE_REFERENCE_BORG, and BORG_PASSPHRASE where it takes one. FILE is a large file of the archive; it is read from
 * one end to the other, then 4 kB at random places, and `find` walks over all entries and their attributes. The programs take
 * turns; a fresh mount has nothing in its caches. Prints the middle of the rounds.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [archive, file, rounds = '3'] = process.argv.slice(2);
const programs = {
  alcove: fileURLToPath(new URL('../bin/alcove', import.meta.url)),
  borg: process.env['ALCOVE_REFERENCE_BORG'],
};
const BLOCK_BYTES = 4096;
const BLOCKS = 400;
/** Of these, so that chunks that are decoded already have a part in it. */
const SPREAD_BYTES = 64 * 2 ** 20;

const mountpoint = mkdtempSync(join(tmpdir(), 'alcove-bench-'));
const measured = { alcove: [], borg: [] };
try {
  for (let round = 0; round < Number(rounds); round++) {
    for (const name of Object.keys(programs)) measured[name].push(measure(programs[name]));
  }
} finally {
  spawnSync('umount', ['-l', mountpoint], { stdio: 'ignore' });
  rmdirSync(mountpoint);
}
for (const what of Object.keys(measured.alcove[0])) {
  const [alcove, borg] = ['alcove', 'borg'].map((name) => middle(measured[name].map((times) => times[what])));
  console.log(
    `${what.padEnd(12)} alcove ${alcove.toFixed(3)} s  borg ${borg.toFixed(3)} s  ${(borg / alcove).toFixed(2)} times as fast`,
  );
}

function measure(program) {
  const mount = () => run(program, ['mount', archive, mountpoint]);
  const ready = seconds(() => {
    mount();
    statSync(join(mountpoint, file));
  });
  const find = seconds(() => run('find', [mountpoint, '-printf', '%s %m\\n']));
  const again = seconds(() => run('find', [mountpoint, '-printf', '%s %m\\n']));
  unmount();
  mount();
  const random = seconds(readAtRandom);
  unmount();
  mount();
  const sequential = seconds(() =>
    run('dd', [`if=${join(mountpoint, file)}`, 'of=/dev/null', 'bs=1M', 'status=none']),
  );
  unmount();
  return { ready, find, 'find again': again, random, sequential };
}

/** The same places for both. */
function readAtRandom() {
  const fd = openSync(join(mountpoint, file), 'r');
  const buffer = Buffer.alloc(BLOCK_BYTES);
  let state = 1;
  for (let count = 0; count < BLOCKS; count++) {
    state = (state * 48271) % 0x7fffffff;
    readSync(fd, buffer, 0, BLOCK_BYTES, state % SPREAD_BYTES);
  }
  closeSync(fd);
}

function unmount() {
  run('umount', [mountpoint]);
  // Its process must be gone before the next one is measured.
  const roster = join(archive.split('::')[0], 'lock.roster');
  while (existsSync(roster)) spawnSync('sleep', ['0.02']);
}

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { maxBuffer: 2 ** 30 });
  if (error !== undefined || status !== 0)
    throw error ?? new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function seconds(work) {
  const startMs = performance.now();
  work();
  return (performance.now() - startMs) / 1000;
}

function middle(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
