/** Worker threads that read segments and verify their CRCs. */
import { EntryList } from '../../repository/check/entry-list.ts';
import type { IndexedPlaces } from '../../repository/check/indexed-places.ts';
import type { SegmentReader } from '../../repository/check/segments-ahead.ts';
import { SoundSegments } from '../../repository/check/sound-segments.ts';
import { WorkerPool } from '../../pipeline/worker-pool.ts';
import { type SharedMemory, workerFile } from '../../pipeline/worker-thread.ts';
import type { ReadHandle } from '../../store/store.ts';
import type { SegmentReply, SegmentRequest } from './segment-worker.ts';

const AHEAD_BATCHES = 8;

export class SegmentThreads implements SegmentReader {
  readonly #pool: WorkerPool<SharedMemory, SegmentRequest, SegmentReply>;

  /** The first one starts at once, the others when there is work for them. */
  constructor(threads: number) {
    this.#pool = new WorkerPool(workerFile('segment', import.meta.url), {}, threads);
    this.#pool.start();
  }

  /** Many are small, and who asks for them is often busy with something else. */
  get capacity(): number {
    return AHEAD_BATCHES * this.#pool.capacity;
  }

  read(file: ReadHandle, indexed?: IndexedPlaces): Promise<EntryList | undefined> {
    const { fd } = file;
    // Other threads know it by its number only.
    if (fd === undefined) return new SoundSegments().read(file, indexed);
    const sizeBytes = file.sizeBytes();
    const places = indexed?.words.buffer instanceof SharedArrayBuffer ? indexed : undefined;
    return new Promise((resolve, reject) => {
      this.#pool.send((batch) => ({ message: { batch, fd, sizeBytes, places } }), {
        take: ({ entries }) => {
          resolve(entries && EntryList.of(entries));
          return true;
        },
        reject,
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }
}
