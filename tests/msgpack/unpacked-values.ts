import * as fc from '../properties.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { toBinaryString } from '../../src/util/bytes.ts';

/** Values as decode() gives them. */
export const unpackedValues: fc.Arbitrary<MsgpackValue> = fc.letrec<{ value: MsgpackValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc
      .array(
        fc.tuple(
          fc.oneof(fc.uint8Array({ maxLength: 40 }).map(toBinaryString), fc.maxSafeInteger()),
          tie('value'),
        ),
        { maxLength: 20 },
      )
      .map((entries) => new Map(entries)),
  ),
})).value;
