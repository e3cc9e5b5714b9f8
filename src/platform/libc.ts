/**
 * Functions of the C library that Node has no door to. Loading the foreign function interface takes some 10 ms, so
 * it happens at the first call, not at import.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';

type Koffi = typeof import('koffi');

/** What a C function takes and gives: integers, byte buffers as pointers, and null. */
export type CValue =
  | number
  | bigint
  | Uint8Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string
  | null;

type KoffiFunction = ReturnType<ReturnType<Koffi['load']>['func']>;

let koffi: Koffi | undefined;
let library: ReturnType<Koffi['load']> | undefined;

function foreign(): Koffi {
  koffi ??= createRequire(import.meta.url)('koffi') as Koffi;
  return koffi;
}

/**
 * What the runtime itself leaves in errno: its garbage collector waits for its threads by futex, at any moment, also
 * between a C call and the question for its errno (measured: three in 18 million calls).
 */
const FOREIGN_ERRNO = new Set([constants.errno.EAGAIN, constants.errno.EINTR, constants.errno.ETIMEDOUT]);
const MAX_REPEATS = 3;

let errno = 0;

/**
 * The C function of this prototype, bound at its first call. `undefined` arguments don't exist in C: pass null.
 * A function that this C library lacks throws at the call. A call that fails with what may be the runtime's own errno
 * is made again, which does no harm: it did nothing.
 */
export function cFunction<Arguments extends CValue[], Result = number>(
  prototype: string,
): (...args: Arguments) => Result {
  let bound: ((...args: Arguments) => Result) | undefined;
  return (...args) => {
    bound ??= (library ??= foreign().load(null)).func(prototype) as (...args: Arguments) => Result;
    for (let repeats = 0; ; repeats++) {
      const result = bound(...args);
      if (result !== -1) return result;
      errno = koffi!.errno();
      if (repeats === MAX_REPEATS || !FOREIGN_ERRNO.has(errno)) return result;
    }
  };
}

/**
 * A C function that may block: it runs on a thread of Node's pool. Memory that is handed to it must stay until the promise
 * settles. Its errno is not known.
 */
export function backgroundCFunction<Arguments extends CValue[]>(
  prototype: string,
): (...args: Arguments) => Promise<number> {
  let bound: KoffiFunction | undefined;
  return (...args) => {
    bound ??= (library ??= foreign().load(null)).func(prototype);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    bound.async(...args, (error: Error | null, result: number) => (error ? reject(error) : resolve(result)));
    return promise;
  };
}

/** Where memory is, for structures that lead to it. It must be an ArrayBuffer's, which the garbage collector does not move. */
export function addressOf(bytes: Uint8Array): bigint {
  return foreign().address(bytes);
}

/** errno of this thread's last C call that returned -1. */
export function lastErrno(): number {
  return errno;
}

/** The bytes that a C pointer to `length` bytes leads to, copied. */
export function bytesAt(pointer: bigint, length: number): Uint8Array {
  return Uint8Array.from(foreign().decode(pointer, 'uint8_t', length) as Uint8Array);
}

const SCRATCH_BYTES = 8192;
const scratch = [new Uint8Array(SCRATCH_BYTES), new Uint8Array(SCRATCH_BYTES)] as const;

/**
 * A path, or another string, as C takes it: ended by a zero byte. It lives until the next call with the same `slot`,
 * so a C function of two strings takes one of each: fresh memory for each call would double its price. Throws a
 * RangeError on a zero byte inside.
 */
export function cString(text: Uint8Array | string, slot: 0 | 1 = 0): Uint8Array {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const length = bytes.length;
  const ended = length < SCRATCH_BYTES ? scratch[slot] : new Uint8Array(length + 1);
  // Most are names of some bytes: two calls, to copy them and to look for a zero byte, take three times as long.
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]!;
    if (byte === 0) throw new RangeError('a zero byte in a path or name');
    ended[at] = byte;
  }
  ended[length] = 0;
  return ended;
}
