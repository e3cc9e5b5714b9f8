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
  /** Also compare the objects with the checksums that clients made of them. Not with `repair`. Default false. */
  readonly checksums?: boolean | undefined;
  /** Parts of segments that hold no data, e.g. because ddrescue could not read them; by segment. */
  readonly badRanges?: ReadonlyMap<number, readonly ByteRange[]> | undefined;
}

/**
 * - `segment`: bytes of a segment that are no sound entries
 * - `unreadable`: bytes of a segment that the disk does not give, or that the caller named as bad
 * - `commit`: the COMMIT of a transaction is damaged or missing
 * - `index`: index and segments differ
 * - `object`: the index points to where no sound object is
 * - `checksum`: an object is not what a client sent
 * - `empty`: there is nothing to check
 */
export type RepositoryDamageKind =
  | 'segment'
  | 'unreadable'
  | 'commit'
  | 'index'
  | 'object'
  | 'checksum'
  | 'empty';

export interface RepositoryDamage {
  readonly kind: RepositoryDamageKind;
  readonly segment?: number;
  readonly offset?: number;
  readonly sizeBytes?: number;
  /** The object that is lost, or has changed. */
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

/** Of the objects that the index has, as far as they were looked at and are not part of other damage. */
export interface ChecksumCounts {
  readonly objects: number;
  /** They are what was sent. */
  readonly verified: number;
  /** They are not. */
  readonly changed: number;
  /** There is no checksum of them. */
  readonly uncovered: number;
}

export interface RepositoryCheckResult {
  /** No damage, or all of it was mended (Borg: what check() returns). With `dryRun`: no damage. */
  readonly ok: boolean;
  /** All segments were checked: no time limit ended it early. */
  readonly finished: boolean;
  /** What is wrong, the first ones where it is very much; a server tells nothing but `ok`. */
  readonly damage?: readonly RepositoryDamage[];
  /** All objects of which the index knows and that are lost, or not what was sent. */
  readonly lostIds?: Iterable<Uint8Array>;
  /** The steps of a repair, in order: those taken, or with `dryRun` those that would be taken. */
  readonly plan?: readonly RepairStep[];
  /** Only where they were asked for; a server does not tell. */
  readonly checksums?: ChecksumCounts | undefined;
  /** What could not be read, by segment. */
  readonly badRanges?: ReadonlyMap<number, readonly ByteRange[]>;
}
