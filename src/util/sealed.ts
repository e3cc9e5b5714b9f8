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
