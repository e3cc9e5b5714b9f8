/** Sealed objects on their way to whoever opens them. */

/** Where a large object lies in an open file, for another thread to read it. */
export interface SealedPlace {
  readonly fd: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** The object's first bytes: 64 of them, or all. */
  readonly head: Uint8Array;
  /** CRC-32 of what the object's bytes go on from; with them it must come to `crc`. */
  readonly crcBefore: number;
  readonly crc: number;
  /** To be called once, when the object was read: until then the file stays open. */
  release(): void;
}

/** The object's bytes, or where they are. */
export type Sealed = Uint8Array | SealedPlace;

/** Part of an open file. */
export interface StretchFile {
  readonly fd: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** Objects that lie close together in a file, for another thread to read at once. */
export interface SealedStretch {
  /** 32 bytes for each. */
  readonly ids: Uint8Array;
  /**
   * STRETCH_WORDS for each: where, from the stretch's beginning, that begins which a CRC-32 covers; where the object
   * begins; where both end; the CRC-32.
   */
  readonly places: Uint32Array;
  /** Undefined where the file has no number to read by. */
  readonly file: StretchFile | undefined;
  /** To be called once, when the objects were read: until then the file stays open. */
  release(): void;
}

export const STRETCH_WORDS = 4;

export function isPlace(sealed: Sealed): sealed is SealedPlace {
  return !(sealed instanceof Uint8Array);
}

export function sealedSizeBytes(sealed: Sealed): number {
  return isPlace(sealed) ? sealed.sizeBytes : sealed.length;
}

/** To be called for what nobody is going to read. */
export function releaseSealed(sealed: Sealed | undefined): void {
  if (sealed !== undefined && isPlace(sealed)) sealed.release();
}
