/** What is backed up: made once below the work folder, and kept there from run to run. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type ContentKind, createFiller } from './contents.ts';
import { makeTree, type TreeShape } from './tree.ts';

export type CorpusName = 'tree' | 'renamed' | 'big' | 'small' | 'sparse' | 'day';

export interface CorpusFacts {
  /** Files, folders, links. */
  readonly entries: number;
  readonly files: number;
  readonly sizeBytes: number;
  /** Without what is there twice, or is a hole. */
  readonly uniqueBytes: number;
}

export interface Corpus extends CorpusFacts {
  readonly path: string;
}

/** Changes when other bytes are made, so that nobody measures with old ones. */
const VERSION = 1;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

interface Recipe {
  readonly title: string;
  /** What it takes on the disk, at a scale of 1. */
  readonly diskBytes: number;
  make(root: string, scale: number): CorpusFacts;
}

const RECIPES: Readonly<Record<CorpusName, Recipe>> = {
  tree: { title: '121,000 entries, 1.5 GB', diskBytes: 1.8e9, make: makeScaledTree },
  renamed: { title: 'the tree in another place', diskBytes: 1.8e9, make: makeScaledTree },
  big: { title: 'three files, 1.4 GB', diskBytes: 1.4e9, make: makeBigFiles },
  small: { title: '100,000 files of 1 kB', diskBytes: 4.5e8, make: makeSmallFiles },
  sparse: { title: 'one sparse file of 10 GB', diskBytes: 2e7, make: makeSparseFile },
  day: { title: 'a few files, for many archives', diskBytes: 1e6, make: makeDay },
};

export function corpusDiskBytes(name: CorpusName, scale: number): number {
  return RECIPES[name].diskBytes * scale;
}

export function corpusTitle(name: CorpusName): string {
  return RECIPES[name].title;
}

/** The corpus below `parent`, made now where it is not there. */
export function openCorpus(parent: string, name: CorpusName, scale: number): Corpus {
  const folder = join(parent, `${name}-${scale}-v${VERSION}`);
  const path = join(folder, 'data');
  try {
    return { path, ...(JSON.parse(fs.readFileSync(join(folder, 'facts.json'), 'utf8')) as CorpusFacts) };
  } catch {
    // Not made yet, or not to its end.
  }
  fs.rmSync(folder, { recursive: true, force: true });
  const half = `${folder}.making`;
  fs.rmSync(half, { recursive: true, force: true });
  fs.mkdirSync(join(half, 'data'), { recursive: true });
  const facts = RECIPES[name].make(join(half, 'data'), scale);
  fs.writeFileSync(join(half, 'facts.json'), `${JSON.stringify(facts)}\n`);
  fs.renameSync(half, folder);
  return { path, ...facts };
}

export function treeShape(scale: number): TreeShape {
  return { entries: atLeast(100, 121_000 * scale), sizeBytes: 1.5e9 * scale, topFolders: 16 };
}

function makeScaledTree(root: string, scale: number): CorpusFacts {
  return makeTree(root, treeShape(scale), 7);
}

export const BIG_FILES: readonly (readonly [ContentKind, number])[] = [
  ['noise', 0.36],
  ['code', 0.48],
  ['text', 0.16],
];

function makeBigFiles(root: string, scale: number): CorpusFacts {
  const sizes = BIG_FILES.map(([kind, share]) => {
    const sizeBytes = atLeast(1000, 1.4e9 * scale * share);
    writeFilled(join(root, `${kind}.bin`), kind, sizeBytes, sizeBytes);
    return sizeBytes;
  });
  const sizeBytes = sizes.reduce((sum, size) => sum + size);
  return { entries: sizes.length + 1, files: sizes.length, sizeBytes, uniqueBytes: sizeBytes };
}

const FILES_A_FOLDER = 500;

export function makeFolderOfSmallFiles(root: string, count: number): CorpusFacts {
  const bytes = new Uint8Array(1000);
  const fill = createFiller('text', 3);
  for (let number = 0; number < count; number++) {
    const folder = join(root, String(Math.floor(number / FILES_A_FOLDER)));
    if (number % FILES_A_FOLDER === 0) fs.mkdirSync(folder);
    fill(bytes);
    fs.writeFileSync(join(folder, smallFileName(number)), bytes);
  }
  const folders = 1 + Math.ceil(count / FILES_A_FOLDER);
  return { entries: count + folders, files: count, sizeBytes: count * 1000, uniqueBytes: count * 1000 };
}

function smallFileName(number: number): string {
  return `file-${number}`;
}

/** One of them, from the middle. */
export function someSmallFile({ files }: CorpusFacts): string {
  const number = files >> 1;
  return `${Math.floor(number / FILES_A_FOLDER)}/${smallFileName(number)}`;
}

function makeSmallFiles(root: string, scale: number): CorpusFacts {
  return makeFolderOfSmallFiles(root, atLeast(50, 100_000 * scale));
}

/** Ten islands of data in a sea of zeros. */
function makeSparseFile(root: string, scale: number): CorpusFacts {
  const sizeBytes = atLeast(10_000, 10 * GIB * scale);
  const island = Math.min(MIB, Math.floor(sizeBytes / 20));
  const bytes = new Uint8Array(island);
  const fill = createFiller('code', 11);
  const fd = fs.openSync(join(root, 'disk.img'), 'w');
  fs.ftruncateSync(fd, sizeBytes);
  for (let number = 0; number < 10; number++) {
    fill(bytes);
    fs.writeSync(fd, bytes, 0, island, Math.floor((sizeBytes / 10) * number));
  }
  fs.closeSync(fd);
  return { entries: 2, files: 1, sizeBytes, uniqueBytes: 10 * island };
}

function makeDay(root: string): CorpusFacts {
  return makeTree(root, { entries: 100, sizeBytes: 200_000, topFolders: 4 }, 9);
}

export function writeFilled(path: string, kind: ContentKind, sizeBytes: number, seed: number): void {
  const fill = createFiller(kind, seed);
  const piece = new Uint8Array(MIB);
  const fd = fs.openSync(path, 'w');
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    const part = piece.subarray(0, Math.min(left, piece.length));
    fill(part);
    fs.writeSync(fd, part);
  }
  fs.closeSync(fd);
}

function atLeast(least: number, count: number): number {
  return Math.max(least, Math.round(count));
}
