/** The process on this machine that connects us with a server: started, listened to, and brought to its end. */
import type { Readable, Writable } from 'node:stream';
import { GeneralError } from '../errors.ts';
import { sleep } from '../platform/clock.ts';
import { describeOsError, isOsError } from '../platform/os-error.ts';
import { spawnTalking, type TalkingProcess } from '../platform/process.ts';
import type { Context } from '../util/context.ts';
import { ServerLog } from './server-log.ts';
import { formatWireVersion, SPOKEN_VERSION } from './wire-version.ts';

/** How long a process that was told to end may take. */
const TERMINATION_MS = 5000;

export class ServerProcess {
  readonly #process: TalkingProcess;
  /** Its standard error has come to its end. */
  readonly logEnded: Promise<void>;
  #receivedLogBytes = 0;

  /** Throws a GeneralError where the program can't be started. */
  constructor(ctx: Context, argv: readonly string[]) {
    this.#process = start(ctx, argv);
    const log = new ServerLog(ctx.reporter);
    const { stderr } = this.#process;
    stderr.on('data', (piece: Uint8Array) => {
      this.#receivedLogBytes += piece.length;
      log.feed(piece);
    });
    this.logEnded = new Promise((resolve) => {
      stderr.once('error', () => resolve());
      stderr.once('close', () => {
        log.end();
        resolve();
      });
    });
  }

  get input(): Writable {
    return this.#process.stdin;
  }

  get output(): Readable {
    return this.#process.stdout;
  }

  get receivedLogBytes(): number {
    return this.#receivedLogBytes;
  }

  /** Waits for its end, which must be near; a process that does not end is ended. */
  async end(patienceMs: number): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const limitMs = signal === 'SIGTERM' ? patienceMs : TERMINATION_MS;
      if (await this.#endsWithin(limitMs)) return;
      this.#process.kill(signal);
    }
    // What it started may keep its streams open, and us with them.
    await this.#endsWithin(TERMINATION_MS);
    for (const stream of [this.input, this.output, this.#process.stderr]) stream.destroy();
  }

  async #endsWithin(limitMs: number): Promise<boolean> {
    const stop = new AbortController();
    const ended = this.#process.wait().then(
      () => true,
      () => true,
    );
    const late = sleep(limitMs, stop.signal).then(
      () => false,
      () => false,
    );
    const isEnded = await Promise.race([ended, late]);
    stop.abort();
    return isEnded;
  }
}

function start(ctx: Context, argv: readonly string[]): TalkingProcess {
  try {
    return spawnTalking(argv, { env: ctx.env, version: formatWireVersion(SPOKEN_VERSION) });
  } catch (error) {
    if (!isOsError(error)) throw error;
    const text = `can't start the program that connects to the server, ${argv[0]}: ${describeOsError(error)}`;
    throw new GeneralError([`${text}. --rsh and BORG_RSH name another one.`], error);
  }
}
