/** What a check of a repository is asked for, and what it finds and does. */
import type { ByteRange } from '../util/byte-ranges.ts';

export interface RepositoryCheckOptions {
  /** Mend what is damaged. Default false. */
  readonly repair?: boolean | undefined;
  /** With `repair`: change nothing, only say in `plan` what would be done. */
  readonly dryRun?: boolean | undefined;
  /** With `repair`: where the space does not suffice, go on without keeping what is replaced. */
  readonly saveSpace?: boolean | undefined;
  /** Stop after this time; the next such check goes on from there. 0, the default, checks all. Not with `repair`. */
  readonly maxDurationSeconds?: number | undefined;
  /** Parts of segments that hold no data, e.g. because ddrescue could not read them; by segment. */
  readonly badRanges?: ReadonlyMap<number, readonly ByteRange[]> | undefined;
}

/**
 * - `segment`: bytes of a segment that are no sound entries
 * - `unreadable`: bytes of a segment that the disk does not give, or that the caller named as bad
 * - `commit`: the COMMIT of a transaction is damaged or missing
 * - `index`: index and segments differ
 * - `object`: the index points to where no sound object is
 * - `empty`: there is nothing to check
 */
export type RepositoryDamageKind = 'segment' | 'unreadable' | 'commit' | 'index' | 'object' | 'empty';

export interface RepositoryDamage {
  readonly kind: RepositoryDamageKind;
  readonly segment?: number;
  readonly offset?: number;
  readonly sizeBytes?: number;
  /** The object that is lost. */
  readonly id?: Uint8Array;
  readonly text: string;
}

/**
 * - `keep`: the file gets a second name, `to`, in the quarantine
 * - `move`: the file is taken out of the repository, to `to` in the quarantine
 * - `replace`: the segment is replaced by its sound entries
 * - `remove`: the file is removed, and nothing is kept of it
 * - `write`: a new file
 */
export type RepairAction = 'keep' | 'move' | 'replace' | 'remove' | 'write';

export interface RepairStep {
  readonly action: RepairAction;
  /** Within the repository. */
  readonly path: string;
  readonly to?: string;
  /** Size of what is kept, removed or written. */
  readonly sizeBytes?: number;
  readonly text: string;
}

export interface RepositoryCheckResult {
  /** No damage, or all of it was mended (Borg: what check() returns). With `dryRun`: no damage. */
  readonly ok: boolean;
  /** All segments were checked: no time limit ended it early. */
  readonly finished: boolean;
  /** What is wrong, the first ones where it is very much; a server tells nothing but `ok`. */
  readonly damage?: readonly RepositoryDamage[];
  /** All objects of which the index knows and that are lost. */
  readonly lostIds?: Iterable<Uint8Array>;
  /** The steps of a repair, in order: those taken, or with `dryRun` those that would be taken. */
  readonly plan?: readonly RepairStep[];
  /** What could not be read, by segment. */
  readonly badRanges?: ReadonlyMap<number, readonly ByteRange[]>;
}
