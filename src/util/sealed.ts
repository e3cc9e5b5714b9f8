/** Sealed objects on their way to whoever opens them. */

/** Where an object lies in an open segment, for another thread to read it. */
export interface PutPlace {
  readonly fd: number;
  /** Of its PUT, header and all. */
  readonly offsetBytes: number;
  /** About how large the object is. */
  readonly sizeBytes: number;
  /** To be called once, when the object was read: until then the file stays open. */
  release(): void;
}

/** That of an object whose size is known, and how it begins. */
export interface SealedPlace extends PutPlace {
  /** The object's first bytes: 64 of them, or all. */
  readonly head: Uint8Array;
}

/** The object's bytes, or where they are. */
export type Sealed = Uint8Array | SealedPlace;

/** The same, where nothing may have been read of it yet. */
export type Unread = Uint8Array | PutPlace;

/** An object, and, where that is known, about how large it is: how much is read at first depends on it, nothing else. */
export interface ExpectedObject {
  readonly id: Uint8Array;
  readonly sizeBytes?: number | undefined;
}

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

export function isPlace<Place extends PutPlace>(sealed: Uint8Array | Place): sealed is Place {
  return !(sealed instanceof Uint8Array);
}

export function sealedSizeBytes(sealed: Unread): number {
  return isPlace(sealed) ? sealed.sizeBytes : sealed.length;
}

/** To be called for what nobody is going to read. */
export function releaseSealed(sealed: Unread | undefined): void {
  if (sealed !== undefined && isPlace(sealed)) sealed.release();
}
