/** The largest plaintext that is stored: 20 MiB less a PUT entry's header. Source: Borg 1.4.5 constants.py. */
export const MAX_DATA_SIZE = 20_971_479;

/**
 * The largest size that anything decompresses to unless the caller says otherwise. Objects are limited to
 * MAX_DATA_SIZE as stored, so a manifest may be larger once decompressed; Borg's own LZ4 reader gives up here too.
 */
export const MAX_DECOMPRESSED_SIZE = 2 ** 27;

let scratch = new Uint8Array(0);

/**
 * A buffer of at least `sizeBytes` that lives as long as the thread; what it holds is lost at the next call.
 * Its pages take memory only once they are written to, so that asking for the largest size is cheap.
 */
export function scratchBuffer(sizeBytes: number): Uint8Array<ArrayBuffer> {
  if (sizeBytes > MAX_DATA_SIZE * 2) return new Uint8Array(sizeBytes);
  if (scratch.length < sizeBytes) scratch = new Uint8Array(Math.max(sizeBytes, MAX_DATA_SIZE + 2 ** 18));
  return scratch;
}

/** The bytes, copied if they are in the scratch buffer. */
export function ownMemory(bytes: Uint8Array): Uint8Array {
  return bytes.buffer === scratch.buffer ? bytes.slice() : bytes;
}
