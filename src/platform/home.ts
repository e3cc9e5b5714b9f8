/**
 * Where a user's configuration, keys, security records and caches live. Each function makes the folder it returns.
 *
 * Source: Borg 1.4.5, helpers/fs.py (get_base_dir, get_config_dir, get_keys_dir, get_security_dir, get_cache_dir,
 * ensure_dir).
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GeneralError } from '../errors.ts';
import type { Environment } from '../util/context.ts';
import { describeOsError } from './os-error.ts';
import { saveFile } from './save-file.ts';
import { homeOf } from './users.ts';

export const CACHE_TAG_NAME = 'CACHEDIR.TAG';
/** What a file of that name begins with if it marks a cache folder: the standard's, at bford.info/cachedir. */
export const CACHE_TAG_CONTENTS = 'Signature: 8a477f597d28d172789f06886806bc55';

const CACHE_TAG_FILE = `${CACHE_TAG_CONTENTS}
# This file is a cache directory tag created by Borg.
# For information about cache directory tags, see:
#       http://www.bford.info/cachedir/spec.html
`;

/** Who asks; by default the process's effective user. */
export interface Account {
  uid: number;
  /** Home folder by the password database, of a uid or a name. */
  homeOf(user: number | string): string | undefined;
}

function currentAccount(): Account {
  return { uid: process.geteuid?.() ?? 0, homeOf };
}

/**
 * BORG_BASE_DIR, else HOME, else the home of $USER, else of the process's user. A HOME that is root's is not
 * believed to a process that is not root's: mount helpers hand it down.
 */
export function getBaseDir(env: Environment, account: Account = currentAccount()): string {
  if (env.BORG_BASE_DIR) return env.BORG_BASE_DIR;
  let home = env.HOME;
  if (home && account.uid !== 0) {
    const rootHome = account.homeOf(0);
    if (rootHome !== undefined && resolve(home) === resolve(rootHome)) {
      const own = account.homeOf(account.uid);
      if (own) return own;
      home = undefined;
    }
  }
  if (home) return home;
  if (env.USER) return account.homeOf(env.USER)?.replace(/\/+$/, '') || `~${env.USER}`;
  return account.homeOf(account.uid) ?? '~';
}

export function getConfigDir(env: Environment, account?: Account): string {
  return ensureDir(configDir(env, account));
}

export function getKeysDir(env: Environment, account?: Account): string {
  return ensureDir(env.BORG_KEYS_DIR ?? join(getConfigDir(env, account), 'keys'));
}

/** The folder of what is known about repositories, or about the one with this id (64 hex digits). */
export function getSecurityDir(env: Environment, repositoryIdHex?: string, account?: Account): string {
  const base = env.BORG_SECURITY_DIR ?? join(getConfigDir(env, account), 'security');
  return ensureDir(repositoryIdHex ? join(base, repositoryIdHex) : base);
}

/** Also marks the folder as a cache, so that backups may leave it out. */
export function getCacheDir(env: Environment, account?: Account): string {
  const home = xdgHome(env, env.XDG_CACHE_HOME, '.cache', account);
  const path = ensureDir(env.BORG_CACHE_DIR ?? join(home, 'borg'));
  const tag = join(path, CACHE_TAG_NAME);
  if (!existsSync(tag)) saveFile(tag, CACHE_TAG_FILE);
  return path;
}

function configDir(env: Environment, account: Account | undefined): string {
  const home = xdgHome(env, env.XDG_CONFIG_HOME, '.config', account);
  return env.BORG_CONFIG_DIR ?? join(home, 'borg');
}

function xdgHome(env: Environment, xdg: string | undefined, name: string, account?: Account): string {
  if (!env.BORG_BASE_DIR && xdg !== undefined) return xdg;
  return join(getBaseDir(env, account), name);
}

/** Makes the folder and its parents where missing, for the user alone, and returns it. */
export function ensureDir(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new GeneralError([describeOsError(error)], error);
  }
  return path;
}
