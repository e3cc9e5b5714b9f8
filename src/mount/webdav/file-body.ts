/** Sends a part of a file. While one piece is on its way, the next is read. */
import type { Write } from '../../platform/http-server.ts';
import type { ByteRange } from '../../util/byte-ranges.ts';
import { VfsError, type Vfs, type VfsFile } from '../vfs.ts';

const PIECE_BYTES = 512 * 1024;
const NOTHING = new Uint8Array(0);

export interface FileBody {
  /** @throws VfsError where the rest can't be read, or ends too early; what is sent by then is no whole */
  write(write: Write): Promise<void>;
  close(): void;
}

/**
 * Reads the beginning, so that a file of which nothing can be read is known before anything is said of it.
 *
 * @throws VfsError
 */
export async function openFileBody(
  vfs: Vfs,
  inode: number,
  range: ByteRange,
  signal: AbortSignal,
): Promise<FileBody> {
  const file = await vfs.open(inode);
  try {
    const { offset } = range;
    const end = offset + range.sizeBytes;
    const first = await readPiece(file, offset, end, signal);
    return {
      async write(write) {
        let piece = first;
        for (let at = offset; at < end;) {
          at += piece.length;
          const next = readPiece(file, at, end, signal);
          // Nobody may be there any more when it fails.
          next.catch(() => {});
          await write(piece);
          piece = await next;
        }
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function readPiece(file: VfsFile, at: number, end: number, signal: AbortSignal): Promise<Uint8Array> {
  if (at === end) return NOTHING;
  const piece = await file.read(at, Math.min(PIECE_BYTES, end - at), signal);
  if (piece.length === 0) throw new VfsError('EIO', `the contents end ${end - at} bytes too early`);
  return piece;
}
