/** A folder with a repository, a source tree and a context of its own, for tests of the archive layer. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  createArchive,
  type CreateArchiveOptions,
  type CreatedArchive,
} from '../../src/archive/create/create.ts';
import { createDefaults } from '../../src/archive/create/create-defaults.ts';
import { Archive } from '../../src/archive/archive.ts';
import { initRepository } from '../../src/archive/init-repository.ts';
import { openSession, type Session } from '../../src/archive/session.ts';
import type { Item } from '../../src/format/item.ts';
import { Location } from '../../src/format/location.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';
import type { Context } from '../../src/util/context.ts';
import { SilentReporter, type LogLevel } from '../../src/util/reporter.ts';

export class RecordingReporter extends SilentReporter {
  readonly statuses: string[] = [];
  readonly logged: string[] = [];

  override log(level: LogLevel, message: string): void {
    if (level !== 'debug') this.logged.push(`${level}: ${message}`);
  }

  override fileStatus(status: string, path: Uint8Array): void {
    this.statuses.push(`${status} ${toUtf8Lossy(path)}`);
  }

  override ask(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

export class Scratch implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'alcove-archive-'));
  readonly location = Location.parse(join(this.path, 'repository'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** Writes a file below the scratch folder, with the folders above it. */
  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.join(path)), { recursive: true });
    writeFileSync(this.join(path), content);
  }

  context(
    options: { env?: Record<string, string>; signal?: AbortSignal } = {},
  ): Context & { reporter: RecordingReporter } {
    return {
      env: { BORG_BASE_DIR: this.path, BORG_PASSPHRASE: 'scratch', ...options.env },
      cwd: this.path,
      reporter: new RecordingReporter(),
      signal: options.signal ?? new AbortController().signal,
      nowNs: () => BigInt(Date.now()) * 1_000_000n,
      readPassphrase: () => Promise.resolve(undefined),
    };
  }

  async init(encryption = 'repokey'): Promise<void> {
    await (await initRepository(this.context(), this.location, { encryption })).close();
  }

  open(ctx: Context = this.context()): Promise<Session> {
    return openSession(ctx, this.location, { operations: ['read', 'write', 'delete'], exclusive: true });
  }

  /** Backs up `source` (relative to the folder) in a session of its own. */
  async create(
    name: string,
    ctx: Context = this.context(),
    options: Partial<CreateArchiveOptions> = {},
  ): Promise<CreatedArchive> {
    await using session = await this.open(ctx);
    return await createArchive(session, { ...defaults, name, ...options });
  }

  async items(name: string, considerPartFiles = false): Promise<Item[]> {
    await using session = await this.open();
    const archive = await Archive.open(session, name, { considerPartFiles });
    return await Array.fromAsync(archive.items());
  }

  /** Paths of the archive's items. */
  async paths(name: string, considerPartFiles = false): Promise<string[]> {
    return (await this.items(name, considerPartFiles)).map((item) => toUtf8Lossy(item.path));
  }

  /** Contents of the archive's files, by path. */
  async contents(name: string): Promise<Map<string, Buffer>> {
    await using session = await this.open();
    const archive = await Archive.open(session, name);
    const contents = new Map<string, Buffer>();
    for await (const item of archive.items()) {
      if (item.chunks === undefined) continue;
      const parts = await Array.fromAsync(archive.contents(item.chunks));
      contents.set(toUtf8Lossy(item.path), Buffer.concat(parts));
    }
    return contents;
  }
}

export const defaults: Omit<CreateArchiveOptions, 'name'> = {
  ...createDefaults(),
  cmdline: ['alcove', 'create'],
  source: { kind: 'paths', paths: [fromUtf8('source')] },
  checkpointIntervalSeconds: 0,
  threads: 1,
};
