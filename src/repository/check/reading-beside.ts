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
  #isOpen = false;

  constructor(beside: BesideCheck, state: CommittedState) {
    this.#beside = beside;
    this.#state = state;
  }

  /** Whether objects can be read. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether there is enough to be checked, and not too much. */
  isWorthIt(files: SegmentFiles, index: HashIndex): boolean {
    if (index.size > MAX_OBJECTS) return false;
    let sizeBytes = 0;
    for (const segment of files.ascending()) {
      sizeBytes += files.sizeBytes(segment) ?? 0;
      if (sizeBytes >= this.#beside.fromBytes) return true;
    }
    return false;
  }

  /** Gives the check who reads its segments. */
  begin(index: HashIndex): SegmentReader {
    this.#state.readAs(index.hasDeleted ? index.copy() : index);
    this.#isOpen = true;
    this.#beside.begin();
    return this.#beside.createReader();
  }

  /** The check is over. */
  async end(isSound: boolean): Promise<void> {
    if (!this.#isOpen) return;
    if (!isSound) {
      await this.#beside.end();
      this.#state.forget();
    }
    this.#isOpen = false;
  }
}
