/**
 * How much longer commands take where the server is far away: creates and extracts an archive of small files, brings a
 * lost cache in step, lists and deletes, over a connection without and with added round trip time.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolderOfSmallFiles } from './corpora/corpus.ts';
import { runMeasured } from './measured-run.ts';
import { borgEnvironment } from './programs/borg.ts';
import { markdown } from './table.ts';

export interface LatencyOptions {
  readonly work: string;
  readonly addedMs: number;
  readonly files: number;
  /** The server's command line, where it is not alcove's own. */
  readonly server?: string;
  readonly signal: AbortSignal;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const command = here('../bin/alcove.js');

const STEPS = ['create', 'extract', 'sync', 'list', 'delete'] as const;
type Step = (typeof STEPS)[number];

/** A table of seconds: without ssh's stand-in doing anything, through one that passes all on, and with the delay. */
export async function latencyTable(options: LatencyOptions): Promise<string> {
  const { addedMs } = options;
  mkdirSync(options.work, { recursive: true });
  const folder = mkdtempSync(join(options.work, 'latency-'));
  try {
    const files = join(folder, 'files');
    mkdirSync(files);
    makeFolderOfSmallFiles(files, options.files);
    const slow = here('../tests/remote/slow-ssh.mjs');
    const sides = [
      sideIn(folder, 'direct', { BORG_RSH: here('../tests/remote/fake-ssh') }, options),
      sideIn(folder, 'relayed', { BORG_RSH: slow, SLOW_SSH_MS: '0' }, options),
      sideIn(folder, 'far', { BORG_RSH: slow, SLOW_SSH_MS: String(addedMs) }, options),
    ];
    const rows: string[][] = [];
    for (const step of STEPS) {
      const seconds: number[] = [];
      for (const side of sides) seconds.push(await side(step));
      const ratio = seconds[2]! / seconds[1]!;
      rows.push([step, ...seconds.map((value) => value.toFixed(2)), ratio.toFixed(2)]);
    }
    return markdown(['step', 'direct, s', 'relayed, s', `+${addedMs} ms, s`, 'ratio to relayed'], rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What does a step over one kind of connection, and tells the seconds. */
function sideIn(
  folder: string,
  name: string,
  connection: Record<string, string>,
  { server = `'${process.execPath}' '${command}'`, signal }: LatencyOptions,
): (step: Step) => Promise<number> {
  const home = join(folder, name);
  mkdirSync(home);
  const repository = `ssh://host${home}/repository`;
  const env = { ...borgEnvironment(home), BORG_REMOTE_PATH: server, ...connection };
  const alcove = async (...args: string[]) => {
    const argv = [process.execPath, command, ...args];
    const options = { signal, errorFile: join(home, 'errors') };
    return (await runMeasured({ argv, cwd: home, env }, options)).seconds;
  };
  return async (step) => {
    switch (step) {
      case 'create':
        await alcove('init', '-e', 'repokey', repository);
        return alcove('create', `${repository}::one`, join(folder, 'files'));
      case 'extract':
        return alcove('extract', `${repository}::one`);
      case 'sync':
        await alcove('create', `${repository}::two`, join(folder, 'files/0'));
        await alcove('delete', '--cache-only', repository);
        return alcove('create', `${repository}::three`, join(folder, 'files/0'));
      case 'list':
        return alcove('list', `${repository}::one`);
      case 'delete':
        return alcove('delete', `${repository}::one`);
    }
  };
}
