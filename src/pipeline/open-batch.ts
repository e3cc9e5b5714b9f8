/**
 * Sealed objects on their way to a thread that opens them, and their plaintexts on the way back: many in one buffer,
 * so that small ones cost no message each.
 */

export interface OpenRequest {
  readonly batch: number;
  /** 32 bytes for each object. */
  readonly ids: Uint8Array;
  readonly sizes: Uint32Array;
  /** The objects, one after the other. */
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface OpenReply {
  readonly batch: number;
  /** Bytes of each plaintext, FAILED where there is none. May be fewer than were asked for, see OpenedBatch. */
  readonly sizes: Uint32Array;
  readonly data: Uint8Array<ArrayBuffer>;
}

const RELEASED_FROM_BYTES = 64 * 1024;

/** In place of a size: the object did not open. */
export const FAILED = 0xffffffff;

/** Puts the parts into one buffer that can be transferred; with `take`, a single part's own buffer may be that. */
export function joinParts(
  parts: readonly (Uint8Array | undefined)[],
  options: { take?: boolean } = {},
): Pick<OpenReply, 'sizes' | 'data'> {
  const sizes = Uint32Array.from(parts, (part) => part?.length ?? FAILED);
  const [only] = parts;
  if (options.take === true && parts.length === 1 && only !== undefined && ownsBuffer(only)) {
    return { sizes, data: only };
  }
  const total = parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
  // Not zero-filled: every byte is written.
  const data = new Uint8Array(Buffer.allocUnsafeSlow(total).buffer, 0, total);
  let offset = 0;
  for (const part of parts) {
    if (part === undefined) continue;
    data.set(part, offset);
    offset += part.length;
  }
  return { sizes, data };
}

/** The parts again, as views. */
export function splitParts({
  sizes,
  data,
}: Pick<OpenReply, 'sizes' | 'data'>): (Uint8Array<ArrayBuffer> | undefined)[] {
  let offset = 0;
  return Array.from(sizes, (size) => {
    if (size === FAILED) return undefined;
    offset += size;
    return data.subarray(offset - size, offset);
  });
}

/**
 * Frees the memory of large bytes at once; those that share theirs with others are left. The collector sees only the
 * small objects on top, and would let hundreds of megabytes gather.
 */
export function releaseBuffer(bytes: Uint8Array): void {
  if (bytes.length >= RELEASED_FROM_BYTES && ownsBuffer(bytes)) bytes.buffer.transfer(0);
}

function ownsBuffer(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength;
}
