/** What a check has found so far, listed and said. */
import type { ByteRange } from '../../util/byte-ranges.ts';
import { toHex } from '../../util/bytes.ts';
import { HashIndex } from '../../util/hash-index.ts';
import type { LogLevel, Reporter } from '../../util/reporter.ts';
import type { RepositoryDamage } from '../check-result.ts';
import type { ChangedObject } from './checksum-check.ts';
import type { UnsoundSegment } from './segment-scan.ts';

/** Damage is listed up to here: a repository that has lost a disk would fill the memory. */
const MAX_LISTED = 10_000;

export class Findings {
  readonly damage: RepositoryDamage[] = [];
  readonly badRanges = new Map<number, readonly ByteRange[]>();
  readonly #reporter: Reporter;
  /** Of all lost objects, however many. */
  readonly #lost = new HashIndex({ valueWords: 1 });
  #isDamaged = false;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  say(level: LogLevel, message: string): void {
    this.#reporter.log(level, message, { logger: 'borg.repository' });
  }

  /** Says that something is wrong, without listing it. */
  error(message: string): void {
    this.#isDamaged = true;
    this.say('error', message);
  }

  /** Says and lists it. */
  report(damage: RepositoryDamage): void {
    this.error(damage.text);
    this.list(damage);
  }

  /** Lists what follows from damage that was reported. */
  list(damage: RepositoryDamage): void {
    if (this.damage.length < MAX_LISTED) this.damage.push(damage);
  }

  get lostIds(): Iterable<Uint8Array> {
    return { [Symbol.iterator]: () => this.#lost.keys() };
  }

  /** Lists an object that the index has at a place where it is no more. */
  reportLost(id: Uint8Array, segment: number, offset: number): void {
    this.#lost.set(id, 0);
    if (this.damage.length >= MAX_LISTED) return;
    const text = `Object ${toHex(id)} is lost [segment ${segment}, offset ${offset}]`;
    this.list({ kind: 'object', id: Uint8Array.from(id), segment, offset, text });
  }

  /** Says and lists an object that is not what a client sent. */
  reportChanged({ id, segment, offset, sizeBytes, isLive }: ChangedObject): void {
    const where = `[segment ${segment}, offset ${offset}]`;
    const text = `Object ${toHex(id)} is not what was sent: its checksum does not match ${where}`;
    this.report({ kind: 'checksum', segment, offset, sizeBytes, id, text });
    if (isLive) this.#lost.set(id, 0);
  }

  reportSegment(segment: number, { problem, lost, bad }: UnsoundSegment): void {
    this.error(problem);
    for (const [number, range] of [...lost].entries()) {
      const others = `${range.sizeBytes} bytes hold no sound entry [segment ${segment}, offset ${range.offset}]`;
      const text = number === 0 && bad.isEmpty ? problem : others;
      this.list({ kind: 'segment', segment, ...range, text });
    }
    for (const range of bad) {
      const text = `${range.sizeBytes} bytes can't be read [segment ${segment}, offset ${range.offset}]`;
      this.list({ kind: 'unreadable', segment, ...range, text });
    }
    if (!bad.isEmpty) this.badRanges.set(segment, [...bad]);
  }
}
