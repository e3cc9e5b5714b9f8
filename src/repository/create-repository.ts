/** Making a new, empty repository. Source: Borg 1.4.5 repository.py, check_can_create_repository and create. */
import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import {
  ParentPathDoesNotExist,
  PathAlreadyExists,
  PathPermissionDenied,
  RepositoryAlreadyExists,
} from '../errors.ts';
import { createRepositoryConfig } from '../format/repository-config.ts';
import { PosixStore } from '../store/posix-store.ts';
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { createWholeFile } from '../store/whole-file.ts';
import { fromUtf8 } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import { saveConfig } from './config-file.ts';
import { REPOSITORY_README, isRepository, isRepositoryIn } from './is-repository.ts';
import { openRepositoryIn } from './open-repository.ts';
import type { OpenOptions, StoreOptions } from './open-repository.ts';
import type { SegmentRepository } from './segment-repository.ts';

export interface CreateOptions extends OpenOptions {
  /** Make the folders above, too. */
  makeParentDirs?: boolean | undefined;
}

/**
 * Makes a repository and opens it, exclusively unless the options say otherwise. `appendOnly` and
 * `storageQuotaBytes` go into its config. Throws RepositoryAlreadyExists, also where a folder above is a repository,
 * PathAlreadyExists, PathPermissionDenied, ParentPathDoesNotExist, and what openRepository throws.
 */
export async function createRepository(
  context: Context,
  path: string,
  options: CreateOptions = {},
): Promise<SegmentRepository> {
  const { makeParentDirs = false, ...openOptions } = options;
  const root = resolve(context.cwd, path);
  checkPlace(new PosixStore(root));
  for (let above = dirname(root); ; above = dirname(above)) {
    if (isRepository(above)) throw new RepositoryAlreadyExists([above]);
    if (above === dirname(above)) break;
  }
  if (makeParentDirs) createFolders(dirname(root));
  return createRepositoryIn(context, new PosixStore(root), openOptions);
}

/** As createRepository, in a store that holds nothing yet. */
export async function createRepositoryIn(
  context: Context,
  store: Store,
  options: StoreOptions = {},
): Promise<SegmentRepository> {
  checkPlace(store);
  if (store.stat('') === undefined) createRoot(store);
  createWholeFile(store, 'README', fromUtf8(REPOSITORY_README));
  store.createFolder('data');
  const { appendOnly, storageQuotaBytes } = options;
  const config = createRepositoryConfig({ id: randomBytes(32), appendOnly, storageQuotaBytes });
  saveConfig(store, config, context.reporter);
  return openRepositoryIn(context, store, {
    ...options,
    exclusive: options.exclusive ?? true,
    created: true,
  });
}

/** Nothing, or an empty folder, may be there. */
function checkPlace(store: Store): void {
  try {
    const root = store.stat('');
    if (root === undefined) return;
    if (isRepositoryIn(store)) throw new RepositoryAlreadyExists([store.root]);
    if (root.kind !== 'folder' || store.list('').length > 0) throw new PathAlreadyExists([store.root]);
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM')) throw new PathPermissionDenied([store.root], error);
    throw error;
  }
}

function createRoot(store: Store): void {
  try {
    store.createFolder('');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new ParentPathDoesNotExist([store.root], error);
    if (hasCode(error, 'EACCES')) throw new PathPermissionDenied([store.root], error);
    throw error;
  }
}

function createFolders(path: string): void {
  const store = new PosixStore(path);
  if (store.stat('')?.kind === 'folder') return;
  createFolders(dirname(path));
  try {
    store.createFolder('');
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}
