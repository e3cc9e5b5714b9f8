/**
 * Goes through archives: whether they are there and authentic, whether their items can be read, whether the items'
 * chunks are there; counts references on the way. What a repair changes is decided here for all modes.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.rebuild_refcounts.
 */
import { GeneralError, IntegrityError } from '../../errors.ts';
import {
  type ArchiveMetadata,
  decodeArchiveMetadata,
  encodeArchiveMetadata,
} from '../../format/archive-metadata.ts';
import { encodeItem, type Item } from '../../format/item.ts';
import { MetadataError } from '../../format/metadata-fields.ts';
import type { UnpackedArchive } from '../../keys/key.ts';
import { toHex } from '../../util/bytes.ts';
import type { SelectedArchive } from '../archive-selection.ts';
import { ItemBuffer } from '../create/item-buffer.ts';
import type { Manifest } from '../manifest.ts';
import type { CheckState } from './check-state.ts';
import type { DamagedArchive } from './damage.ts';
import { mendFile } from './file-chunks.ts';
import { FileExaminer } from './file-examiner.ts';
import { damageText, isIntegrityError, type ObjectSource } from './object-source.ts';
import { survivingItems } from './surviving-items.ts';

export class ArchiveExaminer {
  readonly #state: CheckState;
  readonly #manifest: Manifest;
  readonly #objects: ObjectSource;
  readonly #itemKeys: ReadonlySet<string>;
  readonly #files: FileExaminer;

  constructor(state: CheckState, manifest: Manifest, objects: ObjectSource) {
    this.#state = state;
    this.#manifest = manifest;
    this.#objects = objects;
    this.#itemKeys = new Set(manifest.itemKeys);
    this.#files = new FileExaminer(state);
  }

  /** @throws what stops the check: an archive of a later format; what the repository throws */
  async run(archives: readonly SelectedArchive[], shown: { msgid: string; text: string }): Promise<void> {
    const { reporter, signal } = this.#state.ctx;
    const progress = reporter.percent(shown.msgid, shown.text, archives.length);
    for (const [number, archive] of archives.entries()) {
      signal.throwIfAborted();
      progress.advance({ current: number });
      this.#state.say('info', `Analyzing archive ${archive.name} (${number + 1}/${archives.length})`);
      this.#state.damage.beginArchive(archive.name);
      await this.#check(archive);
    }
    progress.finish();
  }

  async #check(archive: SelectedArchive): Promise<void> {
    const state = this.#state;
    const opened = await this.#open(archive);
    if (opened === undefined) return;
    const { metadata, salt } = opened;
    const first = await this.#examine(archive.name, metadata.items);
    if (!first.isChanged) {
      for (const id of metadata.items) state.reference(id);
      state.reference(archive.id);
      return;
    }
    if (first.gaps.length > 0) {
      state.damage.archives.push({ ...archive, problem: 'gaps', gaps: first.gaps.length });
    }
    let newId: Uint8Array | undefined;
    if (state.mends) newId = await this.#rewrite(archive, metadata, salt, first);
    for (const id of metadata.items) state.supersede(id);
    if (newId === undefined) return;
    state.log.archives.push({
      name: archive.name,
      id: archive.id,
      action: 'rewrite',
      newId,
      zeroedFiles: first.zeroedFiles,
      healedFiles: first.healedFiles,
      unreadableParts: first.gaps.length,
    });
  }

  /** The archive's description; undefined where it is lost or not to be trusted, and so taken out of the list. */
  async #open({
    name,
    id,
  }: SelectedArchive): Promise<{ metadata: ArchiveMetadata; salt: Uint8Array | undefined } | undefined> {
    const state = this.#state;
    if (!state.chunks.has(id)) {
      const text = `Archive metadata block ${toHex(id)} is missing!`;
      state.fail(text);
      return this.#drop(name, id, 'missing', text);
    }
    state.supersede(id);
    const read = await this.#objects.read(id);
    const damaged = (reason: string): undefined => {
      const text = `Archive metadata block ${toHex(id)} is corrupted: ${reason}`;
      state.fail(text);
      return this.#drop(name, id, 'damaged', text);
    };
    if (read.plaintext === undefined) return damaged(damageText(read.openError ?? read.readError));
    let unpacked: UnpackedArchive;
    try {
      unpacked = state.key.unpackArchive(read.plaintext);
    } catch (error) {
      if (!isIntegrityError(error)) throw error;
      const text = `Archive TAM authentication issue for archive ${name}: ${error.message}`;
      state.fail(text);
      state.fail(
        state.mode === 'repair'
          ? 'This archive will be *removed* from the manifest! It will be deleted.'
          : 'This archive would be *removed* / *deleted* when using --repair!',
      );
      return this.#drop(name, id, 'unauthenticated', text);
    }
    try {
      return { metadata: decodeArchiveMetadata(unpacked.value), salt: unpacked.salt };
    } catch (error) {
      if (!(error instanceof MetadataError)) throw error;
      // Authentic, but of a kind that this program doesn't know: nothing that a repair may throw away.
      if (unpacked.value.get('version') !== 1) {
        throw new GeneralError([`archive ${name}: Unknown archive metadata version`], error);
      }
      return damaged(error.message);
    }
  }

  #drop(name: string, id: Uint8Array, problem: DamagedArchive['problem'], reason: string): undefined {
    const { damage, log } = this.#state;
    this.#manifest.archives.delete(name);
    damage.addMetadata(id);
    damage.archives.push({ name, id, problem });
    log.archives.push({ name, id, action: 'drop', reason });
  }

  /** Looks at every item, and counts references to chunks. */
  async #examine(name: string, ids: readonly Uint8Array[]): Promise<Examination> {
    const state = this.#state;
    const gaps: string[] = [];
    const onGap = (text: string, id: Uint8Array): void => {
      gaps.push(text);
      state.damage.addMetadata(id);
      state.fail(text);
    };
    const result = { items: 0, zeroedFiles: 0, healedFiles: 0, isChanged: false, gaps };
    for await (const batch of this.#itemBatches(ids, onGap)) {
      state.ctx.signal.throwIfAborted();
      result.items += batch.length;
      for (const item of batch) {
        if (item.chunks === undefined || this.#files.isUnchanged(name, item)) continue;
        const verdict = await this.#files.examine(name, item);
        if (!verdict.isChanged) continue;
        result.isChanged = true;
        if (verdict.replacedCount > 0) result.zeroedFiles += 1;
        if (verdict.healedCount > 0) result.healedFiles += 1;
      }
    }
    return { ...result, isChanged: result.isChanged || gaps.length > 0 };
  }

  /** Writes the archive's items again, as they are decided to be. Gives the id of its new description. */
  async #rewrite(
    { name, id }: SelectedArchive,
    metadata: ArchiveMetadata,
    salt: Uint8Array | undefined,
    first: Examination,
  ): Promise<Uint8Array> {
    const state = this.#state;
    const buffer = new ItemBuffer(state.key.chunkSeed, (chunk) => state.store(chunk));
    let items = 0;
    const gaps: string[] = [];
    for await (const batch of this.#itemBatches(metadata.items, (text) => gaps.push(text))) {
      state.ctx.signal.throwIfAborted();
      items += batch.length;
      for (const item of batch) {
        await this.#mend(item);
        buffer.add(encodeItem(item));
        if (buffer.isFull) await buffer.flush(false);
      }
    }
    if (items !== first.items || gaps.join() !== first.gaps.join()) {
      throw new IntegrityError([
        `archive ${name} (${toHex(id)}): reading it again gives something else. Look for a failing disk or memory before you repair anything.`,
      ]);
    }
    await buffer.flush(true);
    const value = encodeArchiveMetadata({ ...metadata, items: buffer.chunkIds });
    const newId = await state.store(state.key.packAuthenticated(value, 'archive', salt));
    this.#manifest.archives.set(name, { ...this.#manifest.archives.get(name)!, id: newId });
    return newId;
  }

  async #mend(item: Item): Promise<void> {
    if (item.chunks === undefined) return;
    await mendFile(item, {
      has: (chunkId) => this.#state.chunks.has(chunkId),
      zeros: (sizeBytes) => this.#files.zeros(sizeBytes),
    });
  }

  #itemBatches(
    ids: readonly Uint8Array[],
    onGap: (text: string, id: Uint8Array) => void,
  ): AsyncGenerator<readonly Item[]> {
    return survivingItems({
      ids,
      itemKeys: this.#itemKeys,
      objects: this.#objects,
      isPresent: (chunkId) => this.#state.chunks.has(chunkId),
      onGap,
    });
  }
}

/** What the first look at an archive's items gave. */
interface Examination {
  readonly items: number;
  readonly zeroedFiles: number;
  readonly healedFiles: number;
  /** The archive can't stay as it is. */
  readonly isChanged: boolean;
  /** What can't be read of its items. */
  readonly gaps: readonly string[];
}
