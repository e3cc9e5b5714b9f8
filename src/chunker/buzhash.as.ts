/**
 * The rolling hash of the chunker, compiled to WebAssembly. Memory: at 0 the table of the bytes that enter the
 * window, at 1024 that of the bytes that leave it (the same, rotated by the window's size), then the data.
 *
 * Four bytes a turn, and both tables combined before the sum, so that one byte costs the processor one rotation and
 * one exclusive or on the way that nothing else can overlap with.
 */

const ENTERING: usize = 0;
const LEAVING: usize = 1024;

let sum: u32 = 0;

// @ts-ignore: decorator
@inline
function change(position: usize, window: usize, ahead: usize): u32 {
  return (
    load<u32>(LEAVING + ((<usize>load<u8>(position + ahead)) << 2)) ^
    load<u32>(ENTERING + ((<usize>load<u8>(position + window + ahead)) << 2))
  );
}

/** Sums up the window that begins at `position`. */
export function start(position: usize, window: usize): void {
  let x: u32 = 0;
  for (let end = position + window; position < end; position++) {
    x = rotl<u32>(x, 1) ^ load<u32>(ENTERING + ((<usize>load<u8>(position)) << 2));
  }
  sum = x;
}

/**
 * The first position from `position` up to `stop` whose window's sum has no bit of the mask, or `stop`. The sum must
 * be that of the window at `position`; it is left as that of the window at the result. Reads up to `stop + window`.
 */
export function scan(position: usize, stop: usize, window: usize, mask: u32): usize {
  let x = sum;
  while (position + 4 <= stop) {
    const x1 = rotl<u32>(x, 1) ^ change(position, window, 0);
    const x2 = rotl<u32>(x1, 1) ^ change(position, window, 1);
    const x3 = rotl<u32>(x2, 1) ^ change(position, window, 2);
    if ((x & mask) == 0) break;
    if ((x1 & mask) == 0) {
      sum = x1;
      return position + 1;
    }
    if ((x2 & mask) == 0) {
      sum = x2;
      return position + 2;
    }
    if ((x3 & mask) == 0) {
      sum = x3;
      return position + 3;
    }
    x = rotl<u32>(x3, 1) ^ change(position, window, 3);
    position += 4;
  }
  while (position < stop && (x & mask) != 0) {
    x = rotl<u32>(x, 1) ^ change(position, window, 0);
    position++;
  }
  sum = x;
  return position;
}
