/** Objects are read while a repository is checked: by the index that the check has found, and goes on with. */
import type { HashIndex } from '../../util/hash-index.ts';
import type { CommittedState } from '../committed-state.ts';
import type { SegmentFiles } from '../segment-files.ts';
import type { BesideCheck } from './beside-check.ts';
import type { SegmentReader } from './segments-ahead.ts';

/** Their table is there three times then. */
const MAX_OBJECTS = 1_000_000;

export class ReadingBeside {
  readonly #beside: BesideCheck;
  readonly #state: CommittedState;
  #reader: SegmentReader | undefined;
  #isOpen = false;

  constructor(beside: BesideCheck, state: CommittedState) {
    this.#beside = beside;
    this.#state = state;
  }

  /** Whether objects can be read. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Gets ready who reads the segments, where there is enough to be read. */
  prepare(files: SegmentFiles): void {
    let sizeBytes = 0;
    for (const segment of files.ascending()) {
      sizeBytes += files.sizeBytes(segment) ?? 0;
      if (sizeBytes < this.#beside.fromBytes) continue;
      this.#reader = this.#beside.createReader();
      return;
    }
  }

  /** Gives the check who reads its segments; undefined where it is to do it by itself. */
  begin(index: HashIndex): SegmentReader | undefined {
    if (this.#reader === undefined || index.size > MAX_OBJECTS) return undefined;
    this.#state.readAs(index.hasDeleted ? index.copy() : index);
    this.#isOpen = true;
    this.#beside.begin();
    return this.#reader;
  }

  /** The check is over. */
  async end(isSound: boolean): Promise<void> {
    await this.#reader?.[Symbol.asyncDispose]();
    if (!this.#isOpen) return;
    if (!isSound) {
      await this.#beside.end();
      this.#state.forget();
    }
    this.#isOpen = false;
  }
}
