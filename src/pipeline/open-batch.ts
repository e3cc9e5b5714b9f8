/**
 * Sealed objects on their way to a thread that opens them, and their plaintexts on the way back: many in one message,
 * so that small ones cost no message each.
 */

import { isPlace, type Unread } from '../util/sealed.ts';
import type { EncodedOutcomes, EncodedWrites } from './file-write.ts';
import type { GivenObject } from './sealed-opener.ts';

/** An object as it is in the repository. */
export interface SealedInput {
  readonly id: Uint8Array;
  readonly sealed: Unread;
}

/** Sealed objects. */
export interface ObjectsMessage {
  readonly batch: number;
  /** 32 bytes for each object. */
  readonly ids: Uint8Array;
  /** PLACED where the object is the next of `places`. */
  readonly sizes: Uint32Array;
  /** Three numbers for each, as a PlacedObject has them. */
  readonly places: Float64Array;
  /** The objects, one after the other; the thread decrypts them in place. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Objects whose plaintexts are wanted. */
export type OpenRequest = ObjectsMessage;

/** One object whose plaintext is to fill a part of the memory that the thread was started with. */
export interface FillRequest extends ObjectsMessage {
  readonly into: MemoryPart;
}

export interface MemoryPart {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface FillReply {
  readonly batch: number;
  /** False where the object did not open, or is of another size. */
  readonly isFilled: boolean;
}

/** Objects whose plaintexts are to be written to files; they don't come back. */
export interface WriteRequest extends ObjectsMessage {
  readonly writes: EncodedWrites;
}

export interface WriteReply extends EncodedOutcomes {
  readonly batch: number;
}

/** Plaintexts of some of a batch's objects, the next ones each time. They lie in the thread's ring. */
export interface OpenReply {
  readonly batch: number;
  /** Bytes of each plaintext, FAILED where there is none. */
  readonly sizes: Uint32Array;
  /** Where each is in the ring; the next of `large` where LARGE. */
  readonly offsets: Uint32Array;
  readonly large: readonly Uint8Array[];
  /** What to release in the ring once all of it is dealt with. */
  readonly costBytes: number;
  /** No more of this batch comes. */
  readonly isLast: boolean;
}

/** A PutPlace without what can't be sent. */
export interface PlacedObject {
  readonly fd: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** In place of a size: the thread is to read the object. */
export const PLACED = 0xffffffff;
/** In place of a size: the object did not open. */
export const FAILED = 0xffffffff;
/** In place of an offset. */
export const LARGE = 0xffffffff;

const ID_BYTES = 32;
const PLACE_NUMBERS = 3;
const RELEASED_FROM_BYTES = 64 * 1024;

/** What a thread is to be told of the objects. It takes over the memory of those that are bytes. */
export function joinObjects(batch: number, inputs: readonly SealedInput[]): ObjectsMessage {
  const ids = new Uint8Array(inputs.length * ID_BYTES);
  const sizes = new Uint32Array(inputs.length);
  const places: number[] = [];
  const parts: Uint8Array[] = [];
  for (let index = 0; index < inputs.length; index++) {
    const { id, sealed } = inputs[index]!;
    ids.set(id, index * ID_BYTES);
    if (isPlace(sealed)) {
      sizes[index] = PLACED;
      places.push(sealed.fd, sealed.offsetBytes, sealed.sizeBytes);
    } else {
      sizes[index] = sealed.length;
      parts.push(sealed);
    }
  }
  return { batch, ids, sizes, places: Float64Array.from(places), data: joinParts(parts) };
}

/** Puts the parts into one buffer that can be transferred, and gives up their own memory; one alone may be that. */
function joinParts(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && ownsBuffer(only)) return only;
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  // Not zero-filled: every byte is written.
  const data = new Uint8Array(Buffer.allocUnsafeSlow(total).buffer, 0, total);
  let offset = 0;
  for (const part of parts) {
    data.set(part, offset);
    offset += part.length;
    releaseBuffer(part);
  }
  return data;
}

/** The objects again: views of those that are bytes. */
export function splitObjects({ ids, sizes, data, places }: ObjectsMessage): GivenObject[] {
  let offset = 0;
  let placeAt = 0;
  const nextPlace = (): PlacedObject => {
    const [fd, offsetBytes, sizeBytes] = [places[placeAt]!, places[placeAt + 1]!, places[placeAt + 2]!];
    placeAt += PLACE_NUMBERS;
    return { fd, offsetBytes, sizeBytes };
  };
  return Array.from(sizes, (size, index) => {
    const id = ids.subarray(index * ID_BYTES, (index + 1) * ID_BYTES);
    return { id, sealed: size === PLACED ? nextPlace() : data.subarray(offset, (offset += size)) };
  });
}

/** The plaintexts of a reply, as views. */
export function repliedParts(reply: OpenReply, ring: Uint8Array): (Uint8Array | undefined)[] {
  let large = 0;
  return Array.from(reply.sizes, (size, index) => {
    if (size === FAILED) return undefined;
    const offset = reply.offsets[index] ?? LARGE;
    return offset === LARGE ? reply.large[large++] : ring.subarray(offset, offset + size);
  });
}

/**
 * Frees the memory of large bytes at once; those that share theirs with others are left. The collector sees only the
 * small objects on top, and would let hundreds of megabytes gather.
 */
export function releaseBuffer(bytes: Uint8Array): void {
  if (bytes.length >= RELEASED_FROM_BYTES && ownsBuffer(bytes)) bytes.buffer.transfer(0);
}

/** Whether all of the memory behind the bytes is theirs, so that it can be given away. */
export function ownsBuffer(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength;
}
