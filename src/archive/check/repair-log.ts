/** What a repair does to the archives, or would do: the same steps are decided in both cases. */

/** What becomes of an archive. */
export interface ArchiveStep {
  readonly name: string;
  /** The object that the list of archives names so far. */
  readonly id: Uint8Array;
  /**
   * - `drop`: it is taken out of the list of archives
   * - `rewrite`: its list of files is written again, without what can't be read, with what was replaced or healed
   */
  readonly action: 'drop' | 'rewrite';
  /** Why it is dropped. */
  readonly reason?: string | undefined;
  /** What takes the place of `id`. */
  readonly newId?: Uint8Array | undefined;
  /** Files of which lost contents are replaced by zeros. */
  readonly zeroedFiles?: number | undefined;
  /** Files of which zeros are replaced by the contents, which are there again. */
  readonly healedFiles?: number | undefined;
  /** Places in the list of files that can't be read. */
  readonly unreadableParts?: number | undefined;
}

/** How many ids of deleted objects are kept; the rest are only counted. */
const MAX_IDS = 1000;

export class RepairLog {
  readonly archives: ArchiveStep[] = [];
  /** Damaged objects that are deleted: the first ones. */
  readonly deletedIds: Uint8Array[] = [];
  deletedCount = 0;
  /** The archives that were found when the list of archives had to be made again. */
  foundArchives: { readonly name: string; readonly id: Uint8Array }[] | undefined;
  /** Archives that an old list of archives, which had come back, did not have. */
  readonly newerArchives: { readonly name: string; readonly id: Uint8Array }[] = [];
  /** The mark of used nonces is written again. */
  renewsNonces = false;
  orphanCount = 0;
  supersededCount = 0;

  deleted(id: Uint8Array): void {
    this.deletedCount += 1;
    if (this.deletedIds.length < MAX_IDS) this.deletedIds.push(id);
  }

  get isEmpty(): boolean {
    return (
      this.archives.length === 0 &&
      this.deletedCount === 0 &&
      this.foundArchives === undefined &&
      this.newerArchives.length === 0 &&
      !this.renewsNonces &&
      this.orphanCount === 0 &&
      this.supersededCount === 0
    );
  }
}
