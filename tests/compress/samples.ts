import { noise } from '../noise.ts';

/** Text-like bytes, which compress to about half. */
export function prose(sizeBytes: number): Uint8Array {
  const choices = noise(sizeBytes);
  const words = ['night ', 'of ', 'the ', 'long ', 'river ', 'stone ', 'and ', 'a ', 'window ', 'opens '];
  let text = '';
  for (let at = 0; text.length < sizeBytes; at++) text += words[(choices[at] ?? 0) % words.length] ?? '';
  return new TextEncoder().encode(text.slice(0, sizeBytes));
}
