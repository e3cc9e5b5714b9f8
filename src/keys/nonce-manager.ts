/**
 * Hands out AES-CTR block numbers so that none is ever used twice under one key. A range is reserved, durably in the
 * repository and at the client, before the first number of it is used; what a crash leaves of a range is never used.
 *
 * The repository's mark serves several clients of one repository, the client's own mark protects it against a
 * repository that was rolled back or lies.
 *
 * Source: Borg 1.4.5, crypto/nonces.py.
 */
import { GeneralError, InvalidRPCMethod } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { Context } from '../util/context.ts';
import type { LocalNonce } from './local-nonce.ts';

const MAX_NONCE = 2n ** 64n - 1n;
/** Reserved beyond what is needed at once, in AES blocks: 4 GiB. */
export const NONCE_SPACE_RESERVATION = 2n ** 28n;
/** How far a mark that is lost is set behind all that is known: more than any crash can have used, 16 TiB. */
const LOST_MARK_MARGIN = 2n ** 40n;
/** msgid of the warning about a repository whose mark is behind the client's. */
export const NONCE_ROLLBACK_MSGID = 'RepositoryNonceRolledBack';

export type NonceRepository = Pick<
  Repository,
  'supportsNonces' | 'getFreeNonce' | 'commitNonceReservation' | 'location'
>;

export interface NonceManagerOptions {
  /** First number that the manifest read at the start does not use. */
  manifestNonce: bigint;
  /** Default NONCE_SPACE_RESERVATION. */
  reservationBlocks?: bigint;
}

export class NonceManager {
  readonly #ctx: Context;
  readonly #repository: NonceRepository;
  readonly #local: LocalNonce;
  #manifestNonce: bigint;
  readonly #reservationBlocks: bigint;
  #supported: boolean;
  /** [next, end): what is left of the reservation. Empty before the first one. */
  #next = 0n;
  #end = 0n;
  #reserving: Promise<void> | undefined;

  constructor(
    ctx: Context,
    repository: NonceRepository,
    local: LocalNonce,
    { manifestNonce, reservationBlocks = NONCE_SPACE_RESERVATION }: NonceManagerOptions,
  ) {
    this.#ctx = ctx;
    this.#repository = repository;
    this.#local = local;
    this.#manifestNonce = manifestNonce;
    this.#reservationBlocks = reservationBlocks;
    this.#supported = repository.supportsNonces;
  }

  /** The first of `blocks` consecutive numbers that belong to the caller alone. Calls may overlap. */
  async lease(blocks: number): Promise<bigint> {
    if (!Number.isSafeInteger(blocks) || blocks < 0) throw new RangeError(`can't lease ${blocks} nonces`);
    const count = BigInt(blocks);
    while (this.#end === 0n || this.#next + count > this.#end) {
      // Who comes while a reservation is under way waits for it, and looks again.
      this.#reserving ??= this.#reserve(count).finally(() => {
        this.#reserving = undefined;
      });
      await this.#reserving;
    }
    const first = this.#next;
    this.#next += count;
    return first;
  }

  /** Numbers below this one are used: an object of the repository shows it. */
  avoidBelow(nonce: bigint): void {
    if (nonce > this.#manifestNonce) this.#manifestNonce = nonce;
    if (this.#end !== 0n && nonce > this.#next) this.#next = nonce;
  }

  /** Replaces the repository's mark, which is damaged. Before the first lease only. */
  async renewRepositoryMark(): Promise<void> {
    const known = highest(this.#local.read(), this.#manifestNonce);
    await this.#repository.commitNonceReservation(known + LOST_MARK_MARGIN, undefined);
  }

  async #reserve(count: bigint): Promise<void> {
    const repositoryFree = await this.#readRepository();
    const localFree = this.#local.read();
    if (this.#end === 0n) this.#warnOfRollback(repositoryFree, localFree);
    const free = highest(repositoryFree, localFree, this.#manifestNonce, this.#end);
    const end = free + count + this.#reservationBlocks;
    if (end >= MAX_NONCE) {
      throw new GeneralError(['the nonces of this key are used up, create a new repository']);
    }
    await this.#commitRepository(end, repositoryFree);
    await this.#local.commit(end, localFree);
    this.#next = free;
    this.#end = end;
  }

  async #readRepository(): Promise<bigint | undefined> {
    if (!this.#supported) return this.#warnOfOldServer();
    try {
      return await this.#repository.getFreeNonce();
    } catch (error) {
      if (!(error instanceof InvalidRPCMethod)) throw error;
      this.#supported = false;
      return this.#warnOfOldServer();
    }
  }

  async #commitRepository(end: bigint, start: bigint | undefined): Promise<void> {
    if (this.#supported) await this.#repository.commitNonceReservation(end, start);
  }

  #warnOfOldServer(): undefined {
    if (this.#end !== 0n) return;
    this.#ctx.reporter.log(
      'warning',
      'Please upgrade to borg version 1.1+ on the server for safer AES-CTR nonce handling.',
    );
  }

  #warnOfRollback(repositoryFree: bigint | undefined, localFree: bigint | undefined): void {
    if (!this.#supported) return;
    const behindClient = localFree !== undefined && (repositoryFree ?? -1n) < localFree;
    const behindManifest = repositoryFree !== undefined && repositoryFree < this.#manifestNonce;
    if (!behindClient && !behindManifest) return;
    const other = behindClient ? "this client's own record" : 'its own manifest';
    this.#ctx.reporter.log(
      'warning',
      `The repository at ${this.#repository.location} says that fewer nonces were used than ${other} shows. ` +
        'Either it was restored from a snapshot or a copy, or the server lies. No nonce is used twice: this run ' +
        "starts behind the higher mark, and the repository's mark is raised to it. Other clients of this repository " +
        'must not write to it before this run is through.',
      { logger: 'borg.crypto.nonces', msgid: NONCE_ROLLBACK_MSGID },
    );
  }
}

function highest(...nonces: (bigint | undefined)[]): bigint {
  let max = 0n;
  for (const nonce of nonces) if (nonce !== undefined && nonce > max) max = nonce;
  return max;
}
