/** The same memory as a plain Uint8Array: slicing a Buffer shares memory, which callers that slice don't expect. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
