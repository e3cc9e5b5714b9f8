/** Bytes that look random but are the same in every run (xorshift32). */
export function noise(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let at = 0; at < sizeBytes; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

/** Text-like bytes, which compress to about half. */
export function prose(sizeBytes: number): Uint8Array {
  const choices = noise(sizeBytes);
  const words = ['night ', 'of ', 'the ', 'long ', 'river ', 'stone ', 'and ', 'a ', 'window ', 'opens '];
  let text = '';
  for (let at = 0; text.length < sizeBytes; at++) text += words[(choices[at] ?? 0) % words.length] ?? '';
  return new TextEncoder().encode(text.slice(0, sizeBytes));
}
