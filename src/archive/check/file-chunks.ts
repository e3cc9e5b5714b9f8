/**
 * What becomes of a file whose chunks are missing, or are there again: a missing one is replaced by one of as many
 * zeros, while `chunks_healthy` keeps the list of the right ones, by which the file is healed once they are back.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.rebuild_refcounts (verify_file_chunks).
 */
import type { ChunkRef, Item } from '../../format/item.ts';
import { equalBytes } from '../../util/bytes.ts';

/**
 * What becomes of one chunk:
 * - `kept`: it is there
 * - `replaced`: it is missing, and zeros take its place
 * - `still missing`: the zeros that are in its place stay
 * - `replaced again`: it is missing, and so are the zeros that were in its place
 * - `healed`: it is there again, and takes the place of the zeros
 */
export type ChunkFate = 'kept' | 'replaced' | 'still missing' | 'replaced again' | 'healed';

export interface FileChunk {
  readonly fate: ChunkFate;
  /** What the file's list of chunks has at this place so far. */
  readonly current: ChunkRef;
  /** The right one. */
  readonly healthy: ChunkRef;
  /** Where it is in the file. */
  readonly offset: number;
}

export interface FileVerdict {
  /** The file is changed. */
  readonly isChanged: boolean;
  readonly replacedCount: number;
  readonly healedCount: number;
  /** The list of right chunks made no sense, and is dropped. */
  readonly droppedHealthy: boolean;
  /** All of the file is there again. */
  readonly isHealed: boolean;
}

export interface ChunkKeeper {
  has(id: Uint8Array): boolean;
  /** Zeros to stand for a chunk of this size. */
  zeros(sizeBytes: number): ChunkRef;
  /** Is told of each chunk before its turn is over, with what takes its place. */
  onChunk?(chunk: FileChunk, taken: ChunkRef): void | Promise<void>;
  /** Is told first. */
  onDroppedHealthy?(): void;
}

/** Decides for each chunk of a file, and changes the item accordingly. The same chunks give the same decisions. */
export async function mendFile(item: Item, keeper: ChunkKeeper): Promise<FileVerdict> {
  const current = item.chunks ?? [];
  const droppedHealthy = item.chunksHealthy !== undefined && item.chunksHealthy.length !== current.length;
  if (droppedHealthy) {
    keeper.onDroppedHealthy?.();
    delete item.chunksHealthy;
  }
  const known = item.chunksHealthy;
  const healthy = known ?? current;
  const taken: ChunkRef[] = [];
  let replacedCount = 0;
  let healedCount = 0;
  let isChanged = droppedHealthy;
  let offset = 0;
  for (const [number, now] of current.entries()) {
    const right = healthy[number]!;
    const fate = fateOf(now, right, keeper);
    let ref = fate === 'still missing' ? now : right;
    if (fate === 'replaced' || fate === 'replaced again') {
      ref = keeper.zeros(fate === 'replaced' ? right.size : now.size);
      // The lost chunk was of zeros itself: then it is there again.
      const lost = fate === 'replaced' ? right : now;
      if (equalBytes(ref.id, lost.id)) ref = lost;
      else isChanged = true;
      replacedCount += 1;
    } else if (fate === 'healed') {
      healedCount += 1;
      isChanged = true;
    }
    await keeper.onChunk?.({ fate, current: now, healthy: right, offset }, ref);
    taken.push(ref);
    offset += ref.size;
  }
  const isHealed = known !== undefined && sameChunks(taken, known);
  if (isHealed) {
    delete item.chunksHealthy;
    isChanged = true;
  } else if (known === undefined && !sameChunks(taken, current)) item.chunksHealthy = current;
  item.chunks = taken;
  return { isChanged, replacedCount, healedCount, droppedHealthy, isHealed };
}

function fateOf(current: ChunkRef, healthy: ChunkRef, keeper: ChunkKeeper): ChunkFate {
  const isOriginal = sameChunk(current, healthy);
  if (keeper.has(healthy.id)) return isOriginal ? 'kept' : 'healed';
  if (isOriginal) return 'replaced';
  return keeper.has(current.id) ? 'still missing' : 'replaced again';
}

function sameChunk(a: ChunkRef, b: ChunkRef): boolean {
  return a === b || (a.size === b.size && a.csize === b.csize && equalBytes(a.id, b.id));
}

function sameChunks(a: readonly ChunkRef[], b: readonly ChunkRef[]): boolean {
  return a.length === b.length && a.every((chunk, number) => sameChunk(chunk, b[number]!));
}
