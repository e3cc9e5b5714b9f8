/** restic: a snapshot's tag stands for an archive's name. */
import { join } from 'node:path';
import type { Command } from '../measured-run.ts';
import { dayOf, plainEnvironment, type Place, type Program } from './program.ts';

export interface ResticOptions {
  readonly version: string;
  readonly command: readonly string[];
}

/** restic's nearest to Borg's compressions; it has no others. */
const COMPRESSIONS: Readonly<Record<string, string>> = { none: 'off', lz4: 'fastest', zstd: 'auto' };

export function resticProgram({ version, command }: ResticOptions): Program {
  function run(place: Place, args: readonly string[], cwd = place.home): Command {
    return { argv: [...command, ...args], cwd, env: resticEnvironment(place) };
  }
  return {
    name: 'restic',
    version,
    speaksBorg: false,
    versionCommand: (place) => run(place, ['version']),
    serve: () => undefined,
    init: (place) => run(place, ['init']),
    create(place, archive, from, { compression = 'lz4', day, path = '.' } = {}) {
      const level = COMPRESSIONS[compression];
      if (level === undefined) return undefined;
      const time =
        day === undefined ? [] : ['--time', dayOf(day).toISOString().slice(0, 19).replace('T', ' ')];
      const what = ['--host', 'bench', '--tag', archive, '--compression', level];
      return run(place, ['backup', ...what, ...time, path], from);
    },
    extract: (place, archive, into, path) =>
      run(place, [
        'restore',
        'latest',
        '--tag',
        archive,
        '--target',
        into,
        ...(path === undefined ? [] : ['--include', `/${path}`]),
      ]),
    list: (place, archive) => run(place, ['ls', '--long', '--tag', archive, 'latest']),
    check: (place) => run(place, ['check']),
    checkData: (place) => run(place, ['check', '--read-data']),
    remove: (place, archive) => run(place, ['forget', '--tag', archive, '--unsafe-allow-remove-all']),
    compact: (place) => run(place, ['prune', '--max-unused', '10%']),
    prune: (place, days) => run(place, ['forget', '--group-by', 'host', '--keep-daily', String(days)]),
    useCache: () => undefined,
    cacheFolders: () => [],
    mount: () => undefined,
  };
}

function resticEnvironment({ home, repository }: Place): Record<string, string> {
  return {
    ...plainEnvironment(home),
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'bench',
    RESTIC_CACHE_DIR: join(home, 'cache'),
  };
}
