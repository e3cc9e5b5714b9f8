/** A backup program as the rows see it: the same steps, each in its own words. */
import type { Command } from '../measured-run.ts';

/** Where a program's repository is, and all it keeps outside of it. */
export interface Place {
  readonly home: string;
  readonly repository: string;
}

export interface CreateOptions {
  /** Borg's word for it. */
  readonly compression?: string;
  readonly encryption?: string;
  /** Time of the archive, in days after the first. */
  readonly day?: number;
  /** What to save, below `from`; all of it unless said. */
  readonly path?: string;
}

/** A step that a program does not have is `undefined`. */
export interface Program {
  /** The column's name. */
  readonly name: string;
  readonly version: string;
  /** Whether rows about Borg's own key types and options mean something to it. */
  readonly speaksBorg: boolean;
  /** Threads that it is told to use; undefined where it decides itself. */
  readonly threads?: number;
  versionCommand(place: Place): Command;
  /** A server that finds nobody to serve. */
  serve(place: Place): Command | undefined;
  init(place: Place, encryption: string): Command;
  create(place: Place, archive: string, from: string, options?: CreateOptions): Command | undefined;
  extract(place: Place, archive: string, into: string, path?: string): Command;
  list(place: Place, archive: string): Command;
  check(place: Place): Command;
  checkData(place: Place): Command;
  remove(place: Place, archive: string): Command;
  compact(place: Place): Command;
  /** Keeps an archive a day, for so many days. */
  prune(place: Place, days: number): Command;
  /** Asks for what makes it bring its local caches in step. */
  useCache(place: Place): Command | undefined;
  /** Folders below the home that `useCache` builds anew where they are gone. */
  cacheFolders(place: Place): readonly string[];
  /** Mounts and stays in the foreground. */
  mount(place: Place, archive: string, at: string): Command | undefined;
}

/** An environment without this user's own settings. */
export function plainEnvironment(home: string): Record<string, string> {
  const { PATH = '', NODE_PATH, LD_LIBRARY_PATH } = process.env;
  return {
    PATH,
    HOME: home,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    ...(NODE_PATH !== undefined && { NODE_PATH }),
    ...(LD_LIBRARY_PATH !== undefined && { LD_LIBRARY_PATH }),
  };
}

export const FIRST_DAY = Date.UTC(2020, 0, 1, 12);

export function dayOf(number: number): Date {
  return new Date(FIRST_DAY + number * 86_400_000);
}
