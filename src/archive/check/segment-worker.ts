/**
 * A worker thread that reads segments, and finds their entries where all is sound. It knows no key. Started by
 * segment-threads.ts only.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { WorkerControl, WorkerStopped } from '../../pipeline/worker-control.ts';
import { type SharedMemory, takeMessages } from '../../pipeline/worker-thread.ts';
import type { EntryListParts } from '../../repository/check/entry-list.ts';
import { EntryScanner } from '../../repository/check/entry-scanner.ts';
import type { IndexedPlaces } from '../../repository/check/indexed-places.ts';
import { PosixReadHandle } from '../../store/posix-store.ts';

export interface SegmentRequest {
  readonly batch: number;
  readonly fd: number;
  readonly sizeBytes: number;
  readonly places: IndexedPlaces | undefined;
}

export interface SegmentReply {
  readonly batch: number;
  /** Undefined where anything is wrong. */
  readonly entries: EntryListParts | undefined;
}

/** Little enough to stay in the processor's cache until its CRC is computed. */
const PIECE_BYTES = 256 * 1024;

const port = parentPort;
if (port === null) throw new Error('segment-worker is a worker thread');
const control = new WorkerControl((workerData as SharedMemory).control);
const memory = Buffer.allocUnsafeSlow(PIECE_BYTES);

takeMessages(port, control, ({ batch, fd, sizeBytes, places }: SegmentRequest) => {
  const entries = scan(new PosixReadHandle(fd), sizeBytes, places);
  const reply: SegmentReply = { batch, entries };
  port.postMessage(reply, entries === undefined ? [] : [entries.numbers.buffer, entries.keys.buffer]);
});

function scan(
  file: PosixReadHandle,
  sizeBytes: number,
  places: IndexedPlaces | undefined,
): EntryListParts | undefined {
  const scanner = new EntryScanner(places);
  try {
    for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
      control.checkStopped();
      const piece = memory.subarray(0, Math.min(PIECE_BYTES, sizeBytes - at));
      if (file.read(piece, at) < piece.length || !scanner.add(piece)) return undefined;
    }
  } catch (error) {
    if (error instanceof WorkerStopped) throw error;
    // The main thread reads it again, and says why that fails.
    return undefined;
  }
  return scanner.isWhole ? scanner.entries.parts : undefined;
}
