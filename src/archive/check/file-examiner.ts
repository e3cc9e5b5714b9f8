/**
 * Looks at the chunks of files: counts references, says what is missing, and notes who suffers from it.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.rebuild_refcounts (verify_file_chunks, replacement_chunk).
 */
import { IntegrityError } from '../../errors.ts';
import type { ChunkRef, Item } from '../../format/item.ts';
import { MAX_DATA_SIZE_BYTES } from '../../format/segment.ts';
import { toHex } from '../../util/bytes.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { CheckState } from './check-state.ts';
import type { FileDamage } from './damage.ts';
import { mendFile, type FileChunk, type FileVerdict } from './file-chunks.ts';

export class FileExaminer {
  readonly #state: CheckState;
  /** The last one made: lost chunks often come in one size. */
  #zeros: ChunkRef | undefined;

  constructor(state: CheckState) {
    this.#state = state;
  }

  /** The usual case: counts references to the item's chunks, and says whether that was all. examine() does the rest. */
  isUnchanged(archiveName: string, item: Item): boolean {
    if (!this.#isWhole(item)) return false;
    this.#checkSize(archiveName, item);
    return true;
  }

  /** Counts references to the item's chunks, and changes the item as mendFile() does. */
  async examine(archiveName: string, item: Item): Promise<FileVerdict> {
    const verdict = await this.#mend(archiveName, item);
    this.#checkSize(archiveName, item);
    return verdict;
  }

  /** Zeros to stand for a chunk of this size; without a reference to them. */
  zeros(sizeBytes: number): ChunkRef {
    if (sizeBytes > MAX_DATA_SIZE_BYTES) {
      throw new IntegrityError([`a chunk of ${sizeBytes} bytes is larger than any can be`]);
    }
    if (this.#zeros?.size !== sizeBytes) this.#zeros = this.#state.refOf(new Uint8Array(sizeBytes));
    return { ...this.#zeros };
  }

  #checkSize(archiveName: string, { path, size, chunks = [] }: Item): void {
    if (size === undefined) return;
    let sizeBytes = 0;
    for (const chunk of chunks) sizeBytes += chunk.size;
    if (size === sizeBytes) return;
    // Kept as it is, so that extract can warn about it too.
    const text = `size inconsistency detected: size ${size}, chunks size ${sizeBytes}`;
    this.#state.say('warning', `${archiveName}: ${toDisplayText(path)}: ${text}`);
  }

  /** Counts the references, where there is nothing else to do. */
  #isWhole({ path, chunks = [], chunksHealthy }: Item): boolean {
    const state = this.#state;
    if (chunksHealthy !== undefined) return false;
    // Counting says whether it is there; of several, none may be counted before all are found.
    const isOne = chunks.length === 1;
    for (const { id } of chunks) if (!(isOne ? state.reference(id) : state.chunks.has(id))) return false;
    let damage: FileDamage | undefined;
    for (const { id, size } of chunks) {
      if (!isOne) state.reference(id);
      if (!state.damage.isDamaged(id)) continue;
      damage ??= state.damage.beginFile(path);
      damage.add(id, size, 'damaged');
    }
    return true;
  }

  async #mend(archiveName: string, item: Item): Promise<FileVerdict> {
    const state = this.#state;
    const path = toDisplayText(item.path);
    const damage = state.damage.beginFile(item.path);
    const repairs = state.mode === 'repair';
    const verdict = await mendFile(item, {
      has: (id) => state.chunks.has(id),
      zeros: (sizeBytes) => this.zeros(sizeBytes),
      onDroppedHealthy: () => {
        const text = repairs
          ? 'Invalid chunks_healthy metadata removed!'
          : 'Invalid chunks_healthy metadata would be removed with --repair!';
        state.say('warning', `${archiveName}: ${path}: ${text}`);
      },
      onChunk: async (chunk, taken) => {
        this.#tell(`${archiveName}: ${path}: `, chunk);
        noteDamage(damage, chunk, state.damage.isDamaged(taken.id));
        if (!state.reference(taken.id)) await state.store(new Uint8Array(taken.size));
        // The zeros may not be needed any more.
        if (chunk.fate === 'healed') state.supersede(chunk.current.id);
      },
    });
    if (verdict.isHealed) {
      const text = repairs
        ? 'Completely healed previously damaged file!'
        : 'Would completely heal damaged file with --repair!';
      state.say('info', `${archiveName}: ${path}: ${text}`);
    }
    return verdict;
  }

  #tell(subject: string, { fate, healthy, current, offset }: FileChunk): void {
    const state = this.#state;
    const repairs = state.mode === 'repair';
    const where = ({ id, size }: ChunkRef): string => `(Byte ${offset}-${offset + size}, Chunk ${toHex(id)})`;
    switch (fate) {
      case 'kept':
        return;
      case 'replaced': {
        const text = repairs
          ? 'Replacing with all-zero chunk.'
          : 'Would replace it with all-zero chunk with --repair.';
        state.fail(`${subject}New missing file chunk detected ${where(healthy)}. ${text}`);
        return;
      }
      case 'still missing':
        state.say(
          'info',
          `${subject}Previously missing file chunk is still missing ${where(healthy)}. ` +
            'It has an all-zero replacement chunk already.',
        );
        return;
      case 'replaced again': {
        this.#tell(subject, { fate: 'still missing', healthy, current, offset });
        const text = repairs
          ? 'Generating new replacement chunk.'
          : 'Would generate new replacement chunk with --repair.';
        const message = `${subject}Missing all-zero replacement chunk detected ${where(current)}. ${text}`;
        state.fail(message, 'warning');
        return;
      }
      case 'healed': {
        const text = repairs
          ? 'Healed previously missing file chunk!'
          : 'Missing file chunk would be healed with --repair!';
        state.say('info', `${subject}${text} ${where(healthy)}`);
      }
    }
  }
}

function noteDamage(damage: FileDamage, { fate, healthy }: FileChunk, isDamaged: boolean): void {
  if (fate === 'replaced') damage.add(healthy.id, healthy.size, 'missing');
  else if (fate === 'still missing' || fate === 'replaced again') {
    damage.add(healthy.id, healthy.size, 'replaced');
  } else if (isDamaged) damage.add(healthy.id, healthy.size, 'damaged');
}
