/** A tar of many small files that need no place on a disk: `import-tar` makes an archive of them. */
import { createFiller } from './corpora/contents.ts';

const BLOCK = 512;
const FILES_A_FOLDER = 1000;
const FILES_A_PIECE = 500;

/** Files of 512 bytes, each other than the others; pieces of the tar, to be written one after the other. */
export function* syntheticTar(files: number): Generator<Uint8Array> {
  const fill = createFiller('text', 23);
  for (let first = 0; first < files; first += FILES_A_PIECE) {
    const count = Math.min(FILES_A_PIECE, files - first);
    const piece = new Uint8Array(count * 2 * BLOCK);
    for (let number = 0; number < count; number++) {
      const at = number * 2 * BLOCK;
      const name = `data/${Math.floor((first + number) / FILES_A_FOLDER)}/file-${first + number}.txt`;
      piece.set(tarHeader(name, BLOCK), at);
      fill(piece.subarray(at + BLOCK, at + 2 * BLOCK));
    }
    yield piece;
  }
  yield new Uint8Array(2 * BLOCK);
}

/** Source: POSIX.1-1988, the ustar header. */
function tarHeader(name: string, sizeBytes: number): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0001750\0', 108);
  header.write('0001750\0', 116);
  header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  header.write('14000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
