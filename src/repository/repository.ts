/**
 * What a repository can do for the layers above, local or remote. `archive/` depends on this interface, never on
 * segments, so that other engines can stand behind it.
 */
import type { QuarantinedRepair } from './quarantine.ts';
import type { HashIndex } from '../util/hash-index.ts';
import type { ExpectedObject, PutPlace, Sealed, SealedStretch } from '../util/sealed.ts';
import type { BesideCheck } from './check/beside-check.ts';
import type { RepositoryCheckOptions, RepositoryCheckResult } from './check-result.ts';

/** Why each id is 32 bytes: it is a SHA-256-sized MAC of the plaintext. */
export const ID_SIZE_BYTES = 32;

/** The manifest's id: 32 zero bytes. */
export const MANIFEST_ID: Uint8Array = new Uint8Array(ID_SIZE_BYTES);

export interface CommitOptions {
  /** Compact segments after the commit (Borg: compact=True). Default false. */
  compact?: boolean;
  /** Compact a segment when at least this share of it is unused, 0 to 1. Default 0.1. */
  threshold?: number;
  /** Also rewrite the 17-byte segments that hold only a commit (Borg: cleanup_commits). */
  cleanupCommits?: boolean;
}

export interface Repository extends AsyncDisposable {
  /** 32 random bytes made at init. */
  readonly id: Uint8Array;
  /** `id` as 64 hex digits: the name of its cache and security folders. */
  readonly idHex: string;
  /** Canonical location, as stored in the security folder (Borg: Location.canonical_path()). */
  readonly location: string;
  /** Wire version of the server's nonce support: local repositories always have it. */
  readonly supportsNonces: boolean;
  readonly appendOnly: boolean;
  /** Quota in bytes, 0 without one. */
  readonly storageQuotaBytes: number;

  /** The sealed object; throws ObjectNotFound. */
  get(id: Uint8Array): Promise<Uint8Array>;
  /**
   * Objects in the order of `ids`; a missing one throws ObjectNotFound when its turn comes. Each is the caller's, who may
   * write to its memory and transfer it.
   */
  getMany(ids: Iterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /**
   * The same for readers that have other threads open what they get: of a large object it may say where it lies instead.
   * Not every repository can.
   */
  getPlaces?(ids: Iterable<Uint8Array>): AsyncIterable<Sealed>;
  /**
   * Where objects lie, for readers that have other threads read and verify them; nothing of them is read here. Those up to
   * the first that is missing: getPlaces() says why. Undefined where no other thread can read them. Not every repository can.
   */
  locate?(wanted: readonly ExpectedObject[]): Promise<readonly PutPlace[] | undefined>;
  has(id: Uint8Array): Promise<boolean>;
  /**
   * Stores the object in the running transaction. The bytes may be reused once the promise settles; without one, at once.
   * A checksum that was made before the object came here (strongChecksum()) is kept with it; the caller has verified it.
   */
  put(id: Uint8Array, sealed: Uint8Array, checksum?: Uint8Array): Promise<void> | undefined;
  /** Throws ObjectNotFound. */
  delete(id: Uint8Array): Promise<void>;
  /** Up to `limit` ids after `marker`, in the index's order. */
  list(limit?: number, marker?: Uint8Array): Promise<Uint8Array[]>;
  /** The table of all ids, in the order of list(): to look at, until anything is changed. Not every repository has one here. */
  readTable?(): Promise<HashIndex>;
  /** Up to `limit` ids after `marker`, in the order in which the objects lie on the disk: for linear reads. */
  scan(limit?: number, marker?: Uint8Array): Promise<Uint8Array[]>;
  /**
   * All objects in that order, for readers that have other threads read them. Nothing may be changed meanwhile. Not every
   * repository can.
   */
  scanStretches?(): AsyncIterable<SealedStretch>;
  /** Number of objects. */
  count(): Promise<number>;
  /** Makes all that was put and deleted durable, or nothing of it. */
  commit(options?: CommitOptions): Promise<void>;
  /** Forgets all since the last commit. */
  rollback(): Promise<void>;
  /** The key blob in the config, as text; empty where there is none. */
  loadKey(): Promise<string>;
  saveKey(blob: string): Promise<void>;
  /** First nonce that no reservation covers; undefined where the repository has none recorded. */
  getFreeNonce(): Promise<bigint | undefined>;
  /** Records `nextUnreserved`; throws where the recorded value is no longer `startNonce`. */
  commitNonceReservation(nextUnreserved: bigint, startNonce: bigint | undefined): Promise<void>;
  /**
   * Reads all segments and compares them with the index; mends what is damaged where `repair` says so. Needs the
   * exclusive lock, and no transaction may be running. `beside` is for what may be done meanwhile, if anything.
   */
  check(options?: RepositoryCheckOptions, beside?: BesideCheck): Promise<RepositoryCheckResult>;
  /** What repairs have put aside, the oldest first. A server says nothing of it. */
  listQuarantine?(): QuarantinedRepair[];
  /** Removes that for good; gives what it was. Needs the exclusive lock. */
  dropQuarantine?(): QuarantinedRepair[];
  breakLock(): Promise<void>;
  /** Removes the repository and all in it. */
  destroy(): Promise<void>;
  /** Releases locks; an open transaction is rolled back. */
  close(): Promise<void>;
}
