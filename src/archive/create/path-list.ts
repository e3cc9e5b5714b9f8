/**
 * Paths that another program gives, with a delimiter behind each.
 *
 * Source: Borg 1.4.5, helpers/misc.py, iter_separated; archiver.py, do_create.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile, waitReadable } from '../../platform/read-file.ts';
import { concatBytes } from '../../util/bytes.ts';

const READ_BYTES = 64 * 1024;
const POLL_MS = 5;
const CARRIAGE_RETURN = 0x0d;
const NEWLINE = 0x0a;

/** The paths in what can be read from the descriptor; without blocking other work while nothing is there. */
export async function* readPathList(
  fd: number,
  delimiter: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  const buffer = new Uint8Array(READ_BYTES);
  for (;;) {
    while (!waitReadable(fd, 0)) await sleep(POLL_MS, undefined, { signal });
    const count = readFile(fd, buffer);
    if (count === 0) break;
    const bytes = Buffer.from(concatBytes([rest, buffer.subarray(0, count)]));
    let start = 0;
    for (let end = bytes.indexOf(delimiter); end >= 0; end = bytes.indexOf(delimiter, start)) {
      yield withoutCarriageReturn(bytes.subarray(start, end), delimiter);
      start = end + delimiter.length;
    }
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) yield new Uint8Array(rest);
}

/** Lines may end as on Windows. */
function withoutCarriageReturn(path: Uint8Array, delimiter: Uint8Array): Uint8Array {
  const isLine = delimiter.length === 1 && delimiter[0] === NEWLINE;
  return new Uint8Array(isLine && path.at(-1) === CARRIAGE_RETURN ? path.subarray(0, -1) : path);
}
