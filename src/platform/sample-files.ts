/** Files to measure with. Source: Borg 1.4.5, archiver.py, do_benchmark_crud (test_files). */
import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { dirname, join } from 'node:path';
import { forgetCached } from './read-file.ts';
import { writeFully } from './save-file.ts';

export interface SampleFiles {
  readonly count: number;
  /** Of each file. */
  readonly sizeBytes: number;
  /** Noise instead of zeros. */
  readonly random: boolean;
}

export interface SampleFolder extends Disposable {
  readonly path: string;
}

const FOLDER = 'borg-test-data';
const PIECE_BYTES = 1 << 20;

/**
 * Makes the folder `borg-test-data` below `parent`, which is made too, with files in it; disposing of it removes it.
 * Throws EEXIST where it is there: it may be somebody's.
 */
export function makeSampleFiles(parent: string, files: SampleFiles): SampleFolder {
  const path = join(parent, FOLDER);
  mkdirSync(dirname(path), { recursive: true });
  mkdirSync(path);
  const remove = (): void => rmSync(path, { recursive: true });
  try {
    for (let number = 0; number < files.count; number++) writeSample(join(path, `file_${number}`), files);
  } catch (error) {
    remove();
    throw error;
  }
  return { path, [Symbol.dispose]: remove };
}

function writeSample(path: string, { sizeBytes, random }: SampleFiles): void {
  const piece = Buffer.alloc(Math.min(sizeBytes, PIECE_BYTES));
  const fd = openSync(path, 'wx');
  try {
    for (let left = sizeBytes; left > 0; left -= piece.length) {
      if (random) randomFillSync(piece);
      writeFully(fd, piece.subarray(0, left));
    }
    // So that it is read from the disk.
    fdatasyncSync(fd);
    forgetCached(fd, 0, 0);
  } finally {
    closeSync(fd);
  }
}
