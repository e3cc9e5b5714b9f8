/**
 * Fills an index of chunks with as many as the argument says, looks each up, and prints what that took, as JSON: a process
 * of its own for each size, so that its memory is that of this index alone. See growth.ts.
 */
import { readFileSync } from 'node:fs';
import { capacityFor, HashIndex, KEY_BYTES } from '../src/util/hash-index.ts';
import { createFiller } from './corpora/contents.ts';

export interface IndexReport {
  readonly fillSeconds: number;
  readonly findSeconds: number;
  readonly indexBytes: number;
  readonly peakBytes: number;
}

const BATCH = 10_000;

function readArguments([count, valueWords, known]: string[]): [number, number, boolean] {
  return [Number(count), Number(valueWords), known === 'known'];
}

/** `known`: the index is told beforehand how many will come, as when it is read from a file. */
function measure(count: number, valueWords: number, known: boolean): IndexReport {
  const before = highWaterMark();
  const index = new HashIndex({ valueWords, shared: true, ...(known && { capacity: capacityFor(count) }) });
  const values = Array.from({ length: valueWords }, () => 1);
  const fillSeconds = withKeys(count, (key) => index.set(key, ...values));
  let found = 0;
  const findSeconds = withKeys(count, (key) => {
    if (index.has(key)) found++;
  });
  if (found !== count) throw new Error(`${count - found} keys are missing`);
  return { fillSeconds, findSeconds, indexBytes: index.buckets.length, peakBytes: highWaterMark() - before };
}

/** Keys like chunk ids; the time of making them is not counted. Processor time: what else the machine does is no matter. */
function withKeys(count: number, use: (key: Uint8Array) => void): number {
  const fill = createFiller('noise', 5);
  const batch = new Uint8Array(BATCH * KEY_BYTES);
  let seconds = 0;
  for (let done = 0; done < count; done += BATCH) {
    fill(batch);
    const here = Math.min(BATCH, count - done);
    const start = process.threadCpuUsage();
    for (let number = 0; number < here; number++)
      use(batch.subarray(number * KEY_BYTES, (number + 1) * KEY_BYTES));
    const { user, system } = process.threadCpuUsage(start);
    seconds += (user + system) / 1e6;
  }
  return seconds;
}

function highWaterMark(): number {
  const status = readFileSync('/proc/self/status', 'latin1');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

console.log(JSON.stringify(measure(...readArguments(process.argv.slice(2)))));
