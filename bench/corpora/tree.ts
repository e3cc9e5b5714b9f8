/**
 * A tree with the shape of a system's documentation, headers and libraries: names, depth and sizes as they are there,
 * some links, and files that are in it more than once.
 */
import { linkSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ContentKind, createFiller, randomNumbers } from './contents.ts';
import type { CorpusFacts } from './corpus.ts';

export interface TreeShape {
  readonly entries: number;
  /** Of all files together, about. */
  readonly sizeBytes: number;
  /** Folders directly below the root. */
  readonly topFolders: number;
}

/** The natural logarithm of sizes spreads so much around its mean (of this machine's /usr/share and /usr/lib). */
const SIZE_SPREAD = 1.86;
const LARGEST_SHARE = 0.05;
const MTIME_SECONDS = 1_600_000_000;

export function makeTree(root: string, shape: TreeShape, seed: number): CorpusFacts {
  const random = randomNumbers(seed);
  const folders = makeFolders(root, shape, random);
  const fileCount = shape.entries - folders.length;
  const median = shape.sizeBytes / fileCount / Math.exp(SIZE_SPREAD ** 2 / 2);
  let buffer = new Uint8Array(1 << 16);
  const facts = { entries: folders.length, files: 0, sizeBytes: 0, uniqueBytes: 0 };
  let lastFile = '';
  for (let number = 0; number < fileCount; number++) {
    // A few folders hold most files.
    const folder = folders[Math.floor(folders.length * (random() / 2 ** 32) ** 2)]!;
    const path = join(folder, nameOf(number, random));
    facts.entries++;
    const kind = random() % 100;
    if (kind < 5) symlinkSync(`../${nameOf(number >> 1, random)}`, path);
    else if (kind < 6 && lastFile !== '') linkSync(lastFile, path);
    else {
      const again = kind < 14 && number > 100;
      const contents = again ? random() % number : number;
      const size = Math.min(sizeOf(contents, median), Math.floor(shape.sizeBytes * LARGEST_SHARE));
      if (buffer.length < size) buffer = new Uint8Array(size * 2);
      createFiller(kindOf(contents), contents)(buffer.subarray(0, size));
      writeFileSync(path, buffer.subarray(0, size));
      facts.files++;
      facts.sizeBytes += size;
      if (!again) facts.uniqueBytes += size;
      lastFile = path;
    }
    lutimesSync(path, MTIME_SECONDS, MTIME_SECONDS - (number % 100_000));
  }
  for (const folder of folders) utimesSync(folder, MTIME_SECONDS, MTIME_SECONDS);
  return facts;
}

/** The folders directly below the root of such a tree. */
export function topFolders(shape: TreeShape): string[] {
  return Array.from({ length: shape.topFolders }, (_, number) => `part-${number}`);
}

function makeFolders(root: string, shape: TreeShape, random: () => number): string[] {
  const folders = topFolders(shape).map((name) => join(root, name));
  const count = Math.max(folders.length, Math.round(shape.entries * 0.08));
  while (folders.length < count) {
    const parent = folders[random() % folders.length]!;
    folders.push(join(parent, nameOf(folders.length, random)));
  }
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return folders;
}

const ENDINGS = ['.h', '.py', '.txt', '.so.1', '.gz', '.html', '.c', '.pyc', ''];

function nameOf(number: number, random: () => number): string {
  return `${(random() >>> 4).toString(36)}-${number}${ENDINGS[random() % ENDINGS.length]}`;
}

/** Of the file with this number, so that what is there twice has one size. */
function sizeOf(number: number, median: number): number {
  const random = randomNumbers(number ^ 0x5eed);
  random();
  const [first, second] = [(random() + 1) / 2 ** 32, random() / 2 ** 32];
  const normal = Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
  return Math.round(median * Math.exp(SIZE_SPREAD * normal));
}

function kindOf(number: number): ContentKind {
  const share = randomNumbers(number ^ 0xc0de)() % 100;
  return share < 65 ? 'text' : share < 88 ? 'code' : 'noise';
}
