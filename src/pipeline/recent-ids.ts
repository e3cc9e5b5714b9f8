const ID_BYTES = 32;
/** A power of two; ids are spread evenly over them. */
const PLACES = 1024;

/** Remembers about as many ids as there are places: of those that share one, the last. It takes no memory for each. */
export class RecentIds {
  readonly #ids = new Uint8Array(PLACES * ID_BYTES);
  readonly #isTaken = new Uint8Array(PLACES);

  /** Whether the id was here before and is remembered; from now on it is. */
  remember(id: Uint8Array): boolean {
    const place = (id[0]! | (id[1]! << 8)) & (PLACES - 1);
    const at = place * ID_BYTES;
    const ids = this.#ids;
    if (this.#isTaken[place] === 1) {
      let same = 0;
      while (same < ID_BYTES && ids[at + same] === id[same]) same++;
      if (same === ID_BYTES) return true;
    }
    this.#isTaken[place] = 1;
    for (let i = 0; i < ID_BYTES; i++) ids[at + i] = id[i]!;
    return false;
  }
}
