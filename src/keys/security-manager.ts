/**
 * What this client remembers of a repository, in `security/<id>/`: `location`, `key-type` (a decimal number) and
 * `manifest-timestamp`. By it, a repository that was moved, swapped for an unencrypted one, or set back in time is
 * noticed. The cache remembers the same; where the two differ, the cache's location and the newer timestamp count.
 *
 * Source: Borg 1.4.5, cache.py, SecurityManager.
 */
import {
  CacheInitAbortedError,
  EncryptionMethodMismatch,
  RepositoryAccessAborted,
  RepositoryIDNotUnique,
  RepositoryReplay,
} from '../errors.ts';
import { getSecurityDir } from '../platform/home.ts';
import { describeOsError, isOsError } from '../platform/os-error.ts';
import { saveFile } from '../platform/save-file.ts';
import { pathExists, readSmallText, removeFile, removeFolder } from '../platform/state-files.ts';
import type { Repository } from '../repository/repository.ts';
import type { Context } from '../util/context.ts';
import { PLAINTEXT_TYPE } from './key-type.ts';
import type { Key } from './key.ts';

/** The part of the cache's config that is checked along. */
export interface SecurityCacheConfig {
  readonly previousLocation: string | undefined;
  /** Decimal, as in the file. */
  readonly keyType: string | undefined;
  readonly timestamp: string | undefined;
  /** Writes the config with the repository's present location. */
  save(): void | Promise<void>;
}

export interface AssertSecureOptions {
  cacheConfig?: SecurityCacheConfig | undefined;
  /** False only while a repository is made: then an unencrypted one is nothing to ask about. */
  warnIfUnencrypted?: boolean;
}

type Identity = Pick<Repository, 'idHex' | 'location'>;
type CheckedKey = Pick<Key, 'type' | 'logicallyEncrypted'>;
type Mark = 'location' | 'key-type' | 'manifest-timestamp' | 'encrypted';

const LOGGER = { logger: 'borg.cache' };

export class SecurityManager {
  readonly #ctx: Context;
  readonly #repository: Identity;
  readonly #folder: string;

  constructor(ctx: Context, repository: Identity) {
    this.#ctx = ctx;
    this.#repository = repository;
    this.#folder = getSecurityDir(ctx.env, repository.idHex);
  }

  /** Whether all is remembered that there is to remember. */
  known(): boolean {
    return (['key-type', 'location', 'manifest-timestamp'] as const).every((mark) =>
      pathExists(this.#path(mark)),
    );
  }

  /** First byte of what the repository's key seals, as this client knows it. */
  get rememberedKeyType(): number | undefined {
    const text = this.#read('key-type');
    return text === undefined || !/^\d{1,3}$/.test(text) ? undefined : Number(text);
  }

  /** Text of the newest manifest that this client knows. */
  get rememberedTimestamp(): string | undefined {
    return this.#read('manifest-timestamp');
  }

  /** Remembers the repository as it is now. `manifestTimestamp` is the manifest's own text. */
  save(key: CheckedKey, manifestTimestamp: string): void {
    this.#debug(`saving state for ${this.#repository.idHex} to ${this.#folder}`);
    this.#write('location', this.#repository.location);
    this.#write('key-type', String(key.type.typeByte));
    this.#write('manifest-timestamp', manifestTimestamp);
  }

  /**
   * Forgets what is newer than this manifest: only after the user has taken the repository back to it. The nonce mark
   * stays.
   */
  acceptOlder(manifestTimestamp: string): void {
    if ((this.rememberedTimestamp ?? '') > manifestTimestamp) {
      this.#write('manifest-timestamp', manifestTimestamp);
    }
  }

  /** Remembers whether the key needs a passphrase: to be called also when the user changes that. */
  rememberProtection(key: CheckedKey): void {
    if (key.logicallyEncrypted === this.#wasEncrypted()) return;
    if (key.logicallyEncrypted) this.#write('encrypted', '1');
    else removeFile(this.#path('encrypted'));
  }

  /**
   * Passes if the repository is what this client knows, or may take it for. Throws CacheInitAbortedError,
   * RepositoryAccessAborted, EncryptionMethodMismatch, RepositoryIDNotUnique, RepositoryReplay.
   */
  async assertSecure(
    key: CheckedKey,
    manifestTimestamp: string,
    options: AssertSecureOptions = {},
  ): Promise<void> {
    const { cacheConfig, warnIfUnencrypted = true } = options;
    await this.#assertAccessUnknown(key, manifestTimestamp, warnIfUnencrypted);
    await this.#assertLocationMatches(cacheConfig);
    this.#assertKeyType(key, cacheConfig);
    this.#assertNoManifestReplay(key, manifestTimestamp, cacheConfig);
    if (!this.known()) {
      this.#debug('remembering previously unknown repository');
      this.save(key, manifestTimestamp);
    }
    if (key.logicallyEncrypted) this.rememberProtection(key);
    this.#debug('repository checks ok, allowing access');
  }

  async #assertAccessUnknown(key: CheckedKey, manifestTimestamp: string, warn: boolean): Promise<void> {
    if (key.logicallyEncrypted) return;
    // Beyond Borg, for which a repository is known by its key type: an empty passphrase is tried unasked, so whoever
    // puts his own repokey in place of ours would get the next backup under a key that he has.
    const lostPassphrase = key.type.cipher !== 'none' && this.#wasEncrypted();
    if (this.known() && !lostPassphrase) return;
    const what = lostPassphrase
      ? 'Warning: The repository opens without a passphrase, which it did not before: its key may have been replaced!\n'
      : 'Warning: Attempting to access a previously unknown unencrypted repository!\n';
    const env = 'BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK';
    const allowed = !warn || (await this.#ask(`${what}Do you want to continue? [yN] `, env));
    if (!allowed) throw new CacheInitAbortedError();
    this.rememberProtection(key);
    this.#debug(
      warn
        ? 'remembering unknown unencrypted repository (explicitly allowed)'
        : 'initializing unencrypted repository',
    );
    this.save(key, manifestTimestamp);
  }

  async #assertLocationMatches(cacheConfig: SecurityCacheConfig | undefined): Promise<void> {
    const remembered = this.#read('location');
    // As Borg: the cache's is used by every command that writes, so it is the one that the user accepted last.
    const previous = cacheConfig?.previousLocation || remembered;
    const current = this.#repository.location;
    if (!previous || previous === current) return;
    const allowed = await this.#ask(
      `Warning: The repository at location ${current} was previously located at ${previous}\n` +
        'Do you want to continue? [yN] ',
      'BORG_RELOCATED_REPO_ACCESS_IS_OK',
    );
    if (!allowed) throw new RepositoryAccessAborted();
    this.#debug('updating location stored in cache and security dir');
    this.#write('location', current);
    await cacheConfig?.save();
  }

  #assertKeyType(key: CheckedKey, cacheConfig: SecurityCacheConfig | undefined): void {
    const current = String(key.type.typeByte);
    if (cacheConfig?.keyType !== undefined && cacheConfig.keyType !== current) {
      throw new EncryptionMethodMismatch();
    }
    if (this.known() && this.#read('key-type') !== current) throw new EncryptionMethodMismatch();
  }

  #assertNoManifestReplay(
    key: CheckedKey,
    manifestTimestamp: string,
    cacheConfig: SecurityCacheConfig | undefined,
  ): void {
    const remembered = this.#read('manifest-timestamp') ?? '';
    const cached = cacheConfig?.timestamp ?? '';
    const newest = cached > remembered ? cached : remembered;
    this.#debug(`determined newest manifest timestamp as ${newest}`);
    if (newest <= manifestTimestamp) return;
    throw key.type.typeByte === PLAINTEXT_TYPE ? new RepositoryIDNotUnique() : new RepositoryReplay();
  }

  #ask(text: string, env: string): Promise<boolean> {
    return this.#ctx.reporter.ask({
      text,
      env,
      falseText: 'Aborting.',
      invalidText: 'Invalid answer, aborting.',
      retry: false,
    });
  }

  #wasEncrypted(): boolean {
    return pathExists(this.#path('encrypted'));
  }

  #path(mark: Mark): string {
    return `${this.#folder}/${mark}`;
  }

  /** Undefined where nothing is remembered, or it can't be read. */
  #read(mark: Mark): string | undefined {
    try {
      return readSmallText(this.#path(mark));
    } catch (error) {
      if (!isOsError(error)) throw error;
      this.#ctx.reporter.log('warning', `Could not read ${mark} file: ${describeOsError(error)}`, LOGGER);
      return undefined;
    }
  }

  #write(mark: Mark, text: string): void {
    this.#debug(`${mark} ${text}`);
    saveFile(this.#path(mark), text);
  }

  #debug(text: string): void {
    this.#ctx.reporter.log('debug', `security: ${text}`, LOGGER);
  }
}

/** Forgets the repository, its nonce mark too: only once the repository itself is gone. */
export function destroySecurityFolder(ctx: Context, repositoryIdHex: string): void {
  removeFolder(getSecurityDir(ctx.env, repositoryIdHex));
}
