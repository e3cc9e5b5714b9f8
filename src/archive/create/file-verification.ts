/**
 * Reading files again that the files cache knows unchanged, and comparing them with what was backed up before
 * (--files-cache-verify). Contents that differ under unchanged metadata are bit rot, or the work of a tool that sets
 * times back; Borg has no such thing.
 */
import { DecompressionError, IntegrityError, ObjectNotFound } from '../../errors.ts';
import type { FileStat } from '../../platform/file-stat.ts';
import { equalBytes } from '../../util/bytes.ts';
import type { VerifyRotation } from '../cache/verify-rotation.ts';
import { contentsEqual } from '../diff/contents-equal.ts';
import { openObject } from '../repo-object.ts';
import type { Session } from '../session.ts';
import type { BackupRun } from './backup-run.ts';

/** `touched`: its metadata changed meanwhile, so that a difference means nothing. */
export type Verdict = 'same' | 'changed' | 'touched' | 'unreadable';

/** Of the files that were read again. */
export interface VerificationCounts {
  files: number;
  changed: number;
  unreadable: number;
}

type Ids = readonly Uint8Array[];

export class FileVerification {
  readonly counts: VerificationCounts = { files: 0, changed: 0, unreadable: 0 };
  readonly #session: Session;
  readonly #rotation: VerifyRotation;

  constructor(session: Session, rotation: VerifyRotation) {
    this.#session = session;
    this.#rotation = rotation;
  }

  isDue(pathHash: Uint8Array): boolean {
    return this.#rotation.isDue(pathHash);
  }

  /** To be called when the archive is committed. */
  advance(): void {
    this.#rotation.advance();
  }

  count(verdict: Verdict): void {
    this.counts.files += 1;
    if (verdict === 'changed' || verdict === 'unreadable') this.counts[verdict] += 1;
  }

  /** Judges a file that was read, by its chunks; the repository is asked only where these differ. */
  async judge(
    run: BackupRun,
    stored: Ids,
    found: Ids,
    before: FileStat,
    after: FileStat | undefined,
  ): Promise<Verdict> {
    if (after === undefined || isTouched(before, after)) return 'touched';
    const [left, right] = differingParts(stored, found);
    if (left.length === 0 && right.length === 0) return 'same';
    const { cache } = run;
    const sizeBytes = (ids: Ids): number =>
      ids.reduce((sum, id) => sum + (cache.chunks.get(id)?.sizeBytes ?? 0), 0);
    if (sizeBytes(left) !== sizeBytes(right)) return 'changed';
    // It may be cut in another way than it was.
    const same = await run.exclusively(() => this.#contentsEqual(left, right));
    return same ? 'same' : 'changed';
  }

  async #contentsEqual(left: Ids, right: Ids): Promise<boolean> {
    try {
      return await contentsEqual(this.#contents(left), this.#contents(right));
    } catch (error) {
      // What was stored can't be read: then nobody knows that it is the same.
      const isDamage =
        error instanceof IntegrityError ||
        error instanceof ObjectNotFound ||
        error instanceof DecompressionError;
      if (!isDamage) throw error;
      return false;
    }
  }

  async *#contents(ids: Ids): AsyncGenerator<Uint8Array> {
    const { repository, key } = this.#session;
    for (const id of ids) yield openObject(key, id, await repository.get(id));
  }
}

function isTouched(before: FileStat, after: FileStat): boolean {
  return (
    before.ctimeNs !== after.ctimeNs ||
    before.mtimeNs !== after.mtimeNs ||
    before.sizeBytes !== after.sizeBytes
  );
}

/** Both without the chunks that they have in common at their beginnings and ends. */
function differingParts(a: Ids, b: Ids): [Ids, Ids] {
  let start = 0;
  while (start < a.length && start < b.length && equalBytes(a[start]!, b[start]!)) start++;
  let end = 0;
  const longest = Math.min(a.length, b.length) - start;
  while (end < longest && equalBytes(a.at(-1 - end)!, b.at(-1 - end)!)) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}
