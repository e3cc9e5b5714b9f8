/**
 * Which repositories a server serves, and where a client's path leads.
 *
 * | path         | leads to                                                            |
 * |--------------|---------------------------------------------------------------------|
 * | `/x`         | itself                                                              |
 * | `/~/x` `~/x` | x in the server's home                                              |
 * | `/~user/x`   | x in the home of `user`                                             |
 * | `/./x` `x`   | x in the folder in which the server was started                     |
 *
 * Links are resolved before a path is compared with what is permitted.
 *
 * Source: Borg 1.4.5 remote.py, RepositoryServer._resolve_path() and open().
 */
import { GeneralError, PathNotAllowed } from '../errors.ts';
import { getBaseDir } from '../platform/home.ts';
import { realPath } from '../platform/real-path.ts';
import { homeOf } from '../platform/users.ts';
import { fromUtf8, toUtf8Lossy, equalBytes } from '../util/bytes.ts';
import type { Environment } from '../util/context.ts';

export interface Restrictions {
  /** Only these folders and what is below them; empty for no such restriction. */
  readonly paths: readonly string[];
  /** Only these themselves; empty for no such restriction. */
  readonly repositories: readonly string[];
}

interface Place {
  readonly cwd: string;
  readonly env: Environment;
}

export class ServedPaths {
  readonly #restrictions: Restrictions;
  readonly #place: Place;

  constructor(place: Place, restrictions: Restrictions) {
    this.#place = place;
    this.#restrictions = restrictions;
  }

  /** The absolute path of the repository that a client means. Throws PathNotAllowed. */
  resolve(path: Uint8Array): string {
    const { cwd } = this.#place;
    const real = realPath(this.#expand(textOf(path)), cwd);
    const { paths, repositories } = this.#restrictions;
    const isWithin = (folder: string) => `${real}/`.startsWith(withSlash(realPath(folder, cwd)));
    const isSame = (repository: string) => real === realPath(repository, cwd);
    if (paths.length > 0 && !paths.some(isWithin)) throw new PathNotAllowed([real]);
    if (repositories.length > 0 && !repositories.some(isSame)) throw new PathNotAllowed([real]);
    return real;
  }

  #expand(path: string): string {
    const { env } = this.#place;
    // A slash stands in front in URLs, not in `host:path`.
    const relative = path.startsWith('/~') ? path.slice(1) : path;
    if (relative.startsWith('~/')) return under(getBaseDir(env), relative.slice(2));
    if (relative.startsWith('~')) return expandUser(relative, env);
    return path.startsWith('/./') ? path.slice(3) : path;
  }
}

/** As Python's os.path.join(): an absolute path stays what it is. */
function under(folder: string, path: string): string {
  return path.startsWith('/') ? path : `${folder}/${path}`;
}

/** As Python's os.path.expanduser(): an unknown user stays what was typed. */
function expandUser(path: string, env: Environment): string {
  const name = /^~([^/]*)/.exec(path)![1]!;
  const home = name === '' ? getBaseDir(env) : homeOf(name);
  return home === undefined ? path : home.replace(/\/+$/, '') + path.slice(1 + name.length);
}

function withSlash(folder: string): string {
  return folder === '/' ? folder : `${folder}/`;
}

function textOf(path: Uint8Array): string {
  const text = toUtf8Lossy(path);
  if (path.includes(0) || !equalBytes(fromUtf8(text), path)) {
    throw new GeneralError([`a repository's path must be UTF-8 without NUL, not ${JSON.stringify(text)}`]);
  }
  return text;
}
