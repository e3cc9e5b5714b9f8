/**
 * What the main thread spends its time on, sampled by V8: a `.cpuprofile`, as Chrome's developer tools, Visual Studio
 * Code and speedscope read it. Other threads are not in it.
 */
import { closeSync, openSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { writeFully } from './save-file.ts';

export class CpuProfile {
  readonly #fd: number;
  readonly #session: Session;

  private constructor(fd: number, session: Session) {
    this.#fd = fd;
    this.#session = session;
  }

  /** Opens the file first: whoever waits for a profile should not learn at the end that it can't be written. */
  static async start(path: string): Promise<CpuProfile> {
    const fd = openSync(path, 'w');
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    return new CpuProfile(fd, session);
  }

  /** Writes what was sampled. */
  async finish(): Promise<void> {
    try {
      const { profile } = await this.#session.post('Profiler.stop');
      this.#session.disconnect();
      writeFully(this.#fd, Buffer.from(JSON.stringify(profile)));
    } finally {
      closeSync(this.#fd);
    }
  }
}
