/** Starting and ending worker threads, and how they take their messages. */
import { type MessagePort, type Transferable, Worker } from 'node:worker_threads';
import { RING_BYTES } from './ring.ts';
import { WorkerControl, WorkerStopped } from './worker-control.ts';

/** What every worker is started with. */
export interface SharedMemory {
  readonly control: SharedArrayBuffer;
  /** For what goes back to the main thread. */
  readonly ring: SharedArrayBuffer;
}

export interface WorkerThreadEvents<FromWorker> {
  onMessage(message: FromWorker): void;
  /** What came while the thread was asked to end; all of it has come when close() resolves. */
  onLateMessage?(message: FromWorker): void;
  /** The thread broke, or ended without being asked to. */
  onFailure(error: unknown): void;
}

/** The file of a worker beside a module: named differently in the source tree and in the package. */
export function workerFile(name: string, moduleUrl: string): URL {
  return new URL(`./${name}-worker.${moduleUrl.endsWith('.ts') ? 'ts' : 'js'}`, moduleUrl);
}

/**
 * What keeps a thread's young generation at its first size, which is three times 1 MiB: V8 would let it grow to ten times
 * that, for the same few objects that are alive.
 */
const YOUNG_GENERATION_MB = 3;

/** The main thread's side of one thread. */
export class WorkerThread<Start extends SharedMemory, ToWorker, FromWorker> {
  readonly control = new WorkerControl();
  readonly ring: Uint8Array;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #closing = false;

  constructor(
    file: URL,
    start: Omit<Start, keyof SharedMemory>,
    events: WorkerThreadEvents<FromWorker>,
    transferList: Transferable[] = [],
  ) {
    const ring = new SharedArrayBuffer(RING_BYTES);
    this.ring = new Uint8Array(ring);
    this.#worker = new Worker(file, {
      name: file.pathname.replace(/.*\/|-worker\..*/g, ''),
      workerData: { ...start, control: this.control.buffer, ring },
      transferList,
      // Not the process's own: some, such as --input-type, are refused to a worker.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      // Files are opened by openat(2), which Node does not know of: it would warn at each that it closes.
      trackUnmanagedFds: false,
    });
    const fail = (error: unknown) => {
      if (!this.#closing) events.onFailure(error);
    };
    this.#worker.on('message', (message: FromWorker) => {
      if (this.#closing) events.onLateMessage?.(message);
      else events.onMessage(message);
    });
    this.#worker.on('error', fail);
    this.#worker.on('messageerror', fail);
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        fail(new Error('the thread ended'));
        resolve();
      });
    });
  }

  send(message: ToWorker, transferList: Transferable[] = []): void {
    this.#worker.postMessage(message, transferList);
  }

  /** Whether the process has to go on for the thread's sake. */
  set isAwaited(awaited: boolean) {
    if (awaited) this.#worker.ref();
    else this.#worker.unref();
  }

  /**
   * Ends the thread, at its next look whether to stop. Not by Worker.terminate(): a native module whose call ends in a
   * thread that is being terminated takes the whole process with it ("FATAL ERROR: napi_throw").
   */
  async close(): Promise<void> {
    this.#closing = true;
    this.control.stop();
    this.isAwaited = true;
    // Wakes a thread with nothing to do.
    this.#worker.postMessage(undefined);
    await this.#ended;
  }
}

/**
 * The worker's side: hands on one message after the other, and lets the thread end when it is to stop. A message that comes
 * too late is for `leave`.
 */
export function takeMessages<ToWorker>(
  port: MessagePort,
  control: WorkerControl,
  take: (message: ToWorker) => void,
  leave?: (message: ToWorker) => void,
): void {
  control.announceReady();
  port.on('message', (message: ToWorker | undefined) => {
    try {
      if (message !== undefined && control.isStopped) leave?.(message);
      control.checkStopped();
      if (message !== undefined) take(message);
    } catch (error) {
      if (!(error instanceof WorkerStopped)) throw error;
      port.close();
    }
  });
}
