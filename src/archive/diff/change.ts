/**
 * What can differ between two states of one path.
 *
 * Source: Borg 1.4.5, item.pyx, ItemDiff.
 */
export type ItemKind = 'link' | 'directory' | 'blkdev' | 'chrdev' | 'fifo';

/** A name, a number where names are left out, or null where nothing is stored. */
export type OwnerName = Uint8Array | number | null;

export type Change =
  | { readonly type: 'added' | 'removed'; readonly sizeBytes: number }
  /** Bytes of chunks that only one state has; missing where the states were cut in different ways. */
  | { readonly type: 'modified'; readonly addedBytes?: number; readonly removedBytes?: number }
  | { readonly type: `added ${ItemKind}` | `removed ${ItemKind}` | 'changed link' }
  | {
      readonly type: 'owner';
      readonly oldUser: OwnerName;
      readonly oldGroup: OwnerName;
      readonly newUser: OwnerName;
      readonly newGroup: OwnerName;
    }
  | { readonly type: 'mode'; readonly oldMode: number; readonly newMode: number }
  | { readonly type: 'ctime' | 'mtime'; readonly oldNs: bigint; readonly newNs: bigint };

/** Whether it says anything: files may have the same chunks in another order, or as often as never. */
export function isActualChange(change: Change): boolean {
  return change.type !== 'modified' || change.addedBytes !== 0 || change.removedBytes !== 0;
}
