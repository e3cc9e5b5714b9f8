/** alcove and Borg, which have one command line. */
import { join } from 'node:path';
import type { Command } from '../measured-run.ts';
import { dayOf, plainEnvironment, type Place, type Program } from './program.ts';

export interface BorgOptions {
  readonly name: string;
  readonly version: string;
  readonly command: readonly string[];
  readonly threads?: number;
  readonly canMount: boolean;
}

const DEFAULT_COMPRESSION = 'lz4';
/** Commands that take --threads. */
const THREADED = new Set(['create', 'extract', 'check']);

export function borgProgram(options: BorgOptions): Program {
  const { threads } = options;
  function run({ home }: Place, args: readonly string[], cwd = home): Command {
    const [subcommand = '', ...rest] = args;
    const more = threads !== undefined && THREADED.has(subcommand) ? [`--threads=${threads}`] : [];
    return { argv: [...options.command, subcommand, ...more, ...rest], cwd, env: borgEnvironment(home) };
  }
  return {
    name: options.name,
    version: options.version,
    speaksBorg: true,
    ...(threads !== undefined && { threads }),
    versionCommand: (place) => run(place, ['--version']),
    serve: (place) => run(place, ['serve']),
    init: (place, encryption) => run(place, ['init', '--encryption', encryption, place.repository]),
    create(place, archive, from, { compression = DEFAULT_COMPRESSION, day, path = '.' } = {}) {
      const time = day === undefined ? [] : ['--timestamp', dayOf(day).toISOString().slice(0, 19)];
      const target = `${place.repository}::${archive}`;
      return run(place, ['create', '--compression', compression, ...time, target, path], from);
    },
    extract: (place, archive, into, path) =>
      run(place, ['extract', `${place.repository}::${archive}`, ...(path === undefined ? [] : [path])], into),
    list: (place, archive) => run(place, ['list', `${place.repository}::${archive}`]),
    check: (place) => run(place, ['check', place.repository]),
    checkData: (place) => run(place, ['check', '--verify-data', place.repository]),
    remove: (place, archive) => run(place, ['delete', `${place.repository}::${archive}`]),
    compact: (place) => run(place, ['compact', place.repository]),
    prune: (place, days) => run(place, ['prune', `--keep-daily=${days}`, place.repository]),
    useCache: (place) => run(place, ['info', place.repository]),
    cacheFolders: ({ home }) => [join(home, '.cache/borg')],
    mount: (place, archive, at) =>
      options.canMount
        ? run(place, ['mount', '--foreground', `${place.repository}::${archive}`, at])
        : undefined,
  };
}

export function borgEnvironment(home: string): Record<string, string> {
  return {
    ...plainEnvironment(home),
    BORG_BASE_DIR: home,
    BORG_PASSPHRASE: 'bench',
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'YES',
  };
}
