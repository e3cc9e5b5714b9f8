/**
 * How many objects are asked for ahead: as many small ones as fill the time that a message takes to the server and back,
 * and as few large ones as the memory for them allows. The sizes are not known beforehand, so the last ones are taken
 * for those of the next.
 */
const WINDOW_BYTES = 16 * 1024 * 1024;
const MIN_OBJECTS = 4;
const MAX_OBJECTS = 1000;
const FIRST_GUESS_BYTES = 64 * 1024;
/** Weight of the newest size. */
const WEIGHT = 1 / 16;

export class ObjectWindow {
  #typicalBytes = FIRST_GUESS_BYTES;

  get objects(): number {
    const fitting = Math.floor(WINDOW_BYTES / Math.max(1, this.#typicalBytes));
    return Math.min(MAX_OBJECTS, Math.max(MIN_OBJECTS, fitting));
  }

  learn(sizeBytes: number): void {
    this.#typicalBytes += (sizeBytes - this.#typicalBytes) * WEIGHT;
  }
}
