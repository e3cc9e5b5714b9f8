/**
 * The repository's config on disk. While it is replaced, the old one has a second name, `config.old`, and is erased
 * by random bytes afterwards: it may hold a key that was to be made useless. After a crash one of them is whole.
 *
 * Source: Borg 1.4.5 repository.py, save_config; helpers/fs.py, secure_erase.
 */
import { randomBytes } from 'node:crypto';
import { InvalidRepository, InvalidRepositoryConfig } from '../errors.ts';
import {
  RepositoryConfigError,
  decodeRepositoryConfig,
  encodeRepositoryConfig,
} from '../format/repository-config.ts';
import type { RepositoryConfig } from '../format/repository-config.ts';
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { FileTooLargeError, readWholeFile, saveWholeFile } from '../store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../util/bytes.ts';
import type { Reporter } from '../util/reporter.ts';

const CONFIG = 'config';
const OLD_CONFIG = 'config.old';
const MAX_SIZE_BYTES = 16 * 1024 * 1024;

/** Throws InvalidRepository where there is none, and InvalidRepositoryConfig where it is damaged. */
export function loadConfig(store: Store): RepositoryConfig {
  let bytes: Uint8Array;
  try {
    bytes = readWholeFile(store, CONFIG, MAX_SIZE_BYTES);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new InvalidRepository([store.root], error);
    if (error instanceof FileTooLargeError)
      throw new InvalidRepositoryConfig([store.root, error.message], error);
    throw error;
  }
  try {
    return decodeRepositoryConfig(toUtf8Lossy(bytes));
  } catch (error) {
    if (!(error instanceof RepositoryConfigError)) throw error;
    throw new InvalidRepositoryConfig([store.root, error.message], error);
  }
}

export function saveConfig(store: Store, config: RepositoryConfig, reporter: Reporter): void {
  const warn = (message: string) => reporter.log('warning', message, { logger: 'borg.repository' });
  if (store.stat(OLD_CONFIG)?.kind === 'file') {
    warn('Old config file not securely erased on previous config update');
    eraseFile(store, OLD_CONFIG);
  }
  if (store.stat(CONFIG)?.kind === 'file') {
    try {
      store.link(CONFIG, OLD_CONFIG);
    } catch (error) {
      if (!hasCode(error, 'EMLINK', 'ENOSYS', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EIO')) throw error;
      warn(
        'Failed to securely erase old repository config file (hardlinks not supported). ' +
          'Old repokey data, if any, might persist on physical storage.',
      );
    }
  }
  saveWholeFile(store, CONFIG, fromUtf8(encodeRepositoryConfig(config)));
  if (store.stat(OLD_CONFIG)?.kind === 'file') eraseFile(store, OLD_CONFIG);
}

/** Overwrites a file that has no other name by random bytes, and removes it. */
function eraseFile(store: Store, path: string): void {
  const { sizeBytes, linkCount } = store.stat(path)!;
  if (linkCount === 1) store.overwriteFile(path, randomBytes(sizeBytes));
  store.removeFile(path);
}
