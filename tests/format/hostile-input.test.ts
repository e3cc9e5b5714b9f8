/**
 * Any bytes at all, and good ones with a few changed: every decoder gives a value or throws an error of its own, and
 * takes no memory for sizes that are only declared. ALCOVE_FUZZ_RUNS sets how many of each (default 300).
 */
import { test } from 'node:test';
import * as fc from '../properties.ts';

import { decoders } from './decoders.ts';

const numRuns = Number(process.env['ALCOVE_FUZZ_RUNS'] ?? 300);

/** Bytes that say something to msgpack, sizes that are all too large, and any others. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300, size: 'max' }),
  fc
    .array(
      fc.constantFrom(
        [0xdd, 0xff, 0xff, 0xff, 0xff],
        [0xdf, 0x7f, 0xff, 0xff, 0xff],
        [0xdb, 0xff, 0xff, 0xff, 0xff],
        [0x81, 0xa4, 0x70, 0x61, 0x74, 0x68],
        [0x91],
        [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        [3, 0, 0x28, 0xb5, 0x2f, 0xfd, 0xe0],
        [4, 0, 0, 0, 0, 9],
      ),
      { maxLength: 60, size: 'max' },
    )
    .map((parts) => Uint8Array.from(parts.flat())),
);

const changes = fc.array(
  fc.record({ at: fc.nat(2 ** 20), byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 0xff, 0x80, 0xdd)) }),
  { minLength: 0, maxLength: 6 },
);

function damagedSample(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc.record({ sample: fc.constantFrom(...samples), changes, cut: fc.nat(50) }).map((made) => {
    const bytes = made.sample.slice(0, made.cut > 40 ? (made.cut * 7) % made.sample.length : undefined);
    if (bytes.length > 0) for (const { at, byte } of made.changes) bytes[at % bytes.length] = byte;
    return bytes;
  });
}

for (const { what, decode: decodeIt, samples, errors } of decoders) {
  test(`${what}: a value or an error of its own, whatever the bytes`, () => {
    for (const sample of samples) if (what !== 'an envelope') decodeIt(sample);
    fc.assert(
      fc.property(fc.oneof(anyBytes, damagedSample(samples)), (bytes) => {
        try {
          decodeIt(bytes);
        } catch (error) {
          if (!errors.some((one) => error instanceof one)) throw error;
        }
      }),
      { numRuns },
    );
  });
}
