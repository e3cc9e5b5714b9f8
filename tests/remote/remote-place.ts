/** Repositories that a server process of this machine keeps, reached as one on another machine is. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Location } from '../../src/format/location.ts';
import { openRemoteRepository, type RemoteOptions } from '../../src/remote/open-remote.ts';
import type { RemoteRepository } from '../../src/remote/remote-repository.ts';
import type { Reporter } from '../../src/util/reporter.ts';
import { quoteShellWord } from '../../src/util/shell-quote.ts';
import { testContext } from '../repository/fakes.ts';
import { alcoveCommand } from '../workspace.ts';

/** Stands in for ssh. */
export const FAKE_SSH = fileURLToPath(new URL('fake-ssh', import.meta.url));

/** What runs on the server, as the shell there takes it. */
export const ALCOVE_SERVER = `${quoteShellWord(process.execPath)} ${quoteShellWord(alcoveCommand)}`;

export class RemotePlace implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'alcove-remote-'));
  readonly env: Record<string, string>;
  readonly #options: RemoteOptions;
  #count = 0;

  constructor(remotePath = ALCOVE_SERVER, options: RemoteOptions = {}) {
    this.#options = { rsh: FAKE_SSH, remotePath, ...options };
    this.env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.path,
      BORG_BASE_DIR: this.path,
      BORG_HOST_ID: 'test-host',
      BORG_SELFTEST: 'disabled',
      LANG: 'C.UTF-8',
    };
  }

  newPath(): string {
    return join(this.path, `repository-${this.#count++}`);
  }

  open(
    path: string,
    options: RemoteOptions = {},
    reporter: Partial<Reporter> = {},
  ): Promise<RemoteRepository> {
    const context = { ...testContext(this.path), env: { ...this.env } };
    Object.assign(context.reporter, reporter);
    const all = { exclusive: true, ...this.#options, ...options };
    return openRemoteRepository(context, Location.parse(`ssh://host${path}`), all);
  }

  create(path = this.newPath(), options: RemoteOptions = {}): Promise<RemoteRepository> {
    return this.open(path, { create: true, ...options });
  }

  /** Removes what can be made anew from the log. */
  forgetIndex(path: string): void {
    for (const name of readdirSync(path)) {
      if (/^(?:index|hints|integrity)\.\d+$/.test(name)) rmSync(join(path, name));
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
