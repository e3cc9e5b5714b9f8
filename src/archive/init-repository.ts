/**
 * Makes a new repository with its key and an empty manifest.
 *
 * Source: Borg 1.4.5, archiver.py, Archiver.do_init.
 */
import { initCrypto } from '../crypto/init-crypto.ts';
import { CancelledByUser, GeneralError, NoPassphraseFailure } from '../errors.ts';
import type { Location } from '../format/location.ts';
import { createKey, type CreateKeyOptions } from '../keys/create-key.ts';
import type { RelatedSecrets } from '../keys/related-secrets.ts';
import { setTamRequired } from '../keys/tam-required.ts';
import { createRepository } from '../repository/create-repository.ts';
import type { Repository } from '../repository/repository.ts';
import type { Context } from '../util/context.ts';
import { Manifest } from './manifest.ts';
import { Session } from './session.ts';

export interface InitOptions {
  /** A value of --encryption. */
  readonly encryption: string;
  readonly appendOnly?: boolean | undefined;
  readonly storageQuotaBytes?: number | undefined;
  readonly makeParentDirs?: boolean | undefined;
  readonly lockWaitSeconds?: number | undefined;
  readonly relatedSecrets?: RelatedSecrets | undefined;
  /** False: a passphrase that was typed twice is good enough, and nobody is asked whether to show it. */
  readonly offerDisplay?: boolean | undefined;
  /** Default: on this machine only. */
  readonly create?: RepositoryCreator | undefined;
}

export type RepositoryCreator = (
  ctx: Context,
  location: Location,
  options: Omit<InitOptions, 'encryption' | 'create' | 'relatedSecrets'>,
) => Promise<Repository>;

/** Makes a repository on this machine. */
export const createLocalRepository: RepositoryCreator = (ctx, location, options) => {
  if (location.proto !== 'file') {
    throw new GeneralError([
      `${location.canonicalPath()}: repositories of other machines need a creator of their own`,
    ]);
  }
  const absolute = location.absolute(ctx.cwd);
  return createRepository(ctx, absolute.path, { ...options, location: absolute.canonicalPath() });
};

/**
 * Gives the new repository, opened. Without a passphrase where one is needed, nothing is left behind.
 *
 * @throws CancelledByUser; what createRepository and createKey throw
 */
export async function initRepository(
  ctx: Context,
  location: Location,
  options: InitOptions,
): Promise<Session> {
  await initCrypto();
  const {
    encryption,
    create = createLocalRepository,
    relatedSecrets,
    offerDisplay,
    ...repositoryOptions
  } = options;
  const typed = location.canonicalPath();
  ctx.reporter.log('info', `Initializing repository at "${typed}"`, { logger: 'borg.archiver' });
  const repository = await create(ctx, location, repositoryOptions);
  try {
    const key = await newKey(ctx, repository, encryption, { relatedSecrets, location: typed, offerDisplay });
    const manifest = Manifest.create(ctx, repository, key);
    await manifest.write();
    await repository.commit({ compact: false });
    const { lockWaitSeconds } = options;
    const session = new Session(ctx, { location, repository, manifest, lockWaitSeconds });
    // Makes the cache, and makes this client know the repository.
    await (await session.openCache({ warnIfUnencrypted: false })).close();
    if (key.tamRequired) setTamRequired(ctx, repository.idHex, true);
    return session;
  } catch (error) {
    await repository.close();
    throw error;
  }
}

async function newKey(
  ctx: Context,
  repository: Repository,
  encryption: string,
  options: CreateKeyOptions,
): ReturnType<typeof createKey> {
  try {
    return await createKey(ctx, repository, encryption, options);
  } catch (error) {
    await repository.destroy();
    if (ctx.signal.aborted && !(error instanceof NoPassphraseFailure)) throw new CancelledByUser([], error);
    throw error;
  }
}
