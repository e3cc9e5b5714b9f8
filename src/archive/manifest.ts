/**
 * The manifest in use: the repository's list of archives, loaded with its key and written back.
 *
 * Source: Borg 1.4.5, helpers/manifest.py, Manifest.
 */
import { type Compressor, createCompressor } from '../compress/compressor.ts';
import { DEFAULT_COMPRESSION } from '../compress/compression-spec.ts';
import { MandatoryFeatureUnsupported, NoManifestError, ObjectNotFound } from '../errors.ts';
import { ITEM_KEYS } from '../format/item.ts';
import { type ArchiveEntry, decodeManifest, encodeManifest } from '../format/manifest.ts';
import { nextTimestamp } from '../format/timestamp.ts';
import type { Key } from '../keys/key.ts';
import { loadKey } from '../keys/load-key.ts';
import { unlockAhead } from '../keys/unlock-ahead.ts';
import { isTamRequired, setTamRequired } from '../keys/tam-required.ts';
import type { MsgpackMap, MsgpackValue } from '../msgpack/value.ts';
import { MANIFEST_ID, type Repository } from '../repository/repository.ts';
import { toHex, toUtf8Lossy } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import { openObject } from './repo-object.ts';

/** What a command is going to do; a repository may demand features of a program that does it. */
export type Operation = 'read' | 'check' | 'write' | 'delete';

/** Features that this program has; no release of Borg 1.4 knows any. */
export const SUPPORTED_REPO_FEATURES: ReadonlySet<string> = new Set();

export interface ManifestLoadOptions {
  /** Without one the key is loaded, which may ask for its passphrase. */
  readonly key?: Key;
  /** Takes a manifest without TAM even where one is required; a wrong TAM is never taken. */
  readonly forceTamNotRequired?: boolean;
}

export class Manifest {
  readonly repository: Repository;
  readonly key: Key;
  /** By name, in the order of the repository. */
  readonly archives: Map<string, ArchiveEntry>;
  readonly config: MsgpackMap;
  readonly itemKeys: readonly string[];
  /** For the manifest itself. */
  compressor: Compressor = createCompressor(DEFAULT_COMPRESSION);
  readonly #ctx: Context;
  #timestamp = '';
  #id: Uint8Array = new Uint8Array(0);
  #tamVerified = false;

  private constructor(
    ctx: Context,
    repository: Repository,
    key: Key,
    data: { archives: Map<string, ArchiveEntry>; config: MsgpackMap; itemKeys: readonly string[] },
  ) {
    this.#ctx = ctx;
    this.repository = repository;
    this.key = key;
    this.archives = data.archives;
    this.config = data.config;
    this.itemKeys = data.itemKeys;
  }

  /**
   * The manifest of a new repository; write() puts it there. `after` is the timestamp of one that is known to have been
   * there before, and is lost.
   */
  static create(
    ctx: Context,
    repository: Repository,
    key: Key,
    options: { readonly after?: string | undefined } = {},
  ): Manifest {
    const manifest = new Manifest(ctx, repository, key, {
      archives: new Map(),
      config: new Map(),
      itemKeys: ITEM_KEYS,
    });
    manifest.#timestamp = options.after ?? '';
    return manifest;
  }

  /**
   * @throws NoManifestError; MandatoryFeatureUnsupported where the repository needs more than this program has for
   *   one of the operations; what the key throws
   */
  static async load(
    ctx: Context,
    repository: Repository,
    operations: readonly Operation[],
    options: ManifestLoadOptions = {},
  ): Promise<Manifest> {
    if (options.key === undefined) await unlockAhead(ctx, repository);
    const sealed = await sealedManifest(repository);
    const key = options.key ?? (await loadKey(ctx, repository, sealed));
    const plaintext = openObject(key, undefined, sealed);
    const forceTamNotRequired = options.forceTamNotRequired ?? false;
    const { value, verified } = key.unpackManifest(plaintext, { forceTamNotRequired });
    const data = decodeManifest(value);
    const manifest = new Manifest(ctx, repository, key, data);
    manifest.#timestamp = data.timestamp;
    manifest.#id = key.idHash(plaintext);
    manifest.#tamVerified = verified;
    if (verified) manifest.#rememberTamRequired();
    manifest.checkRepositoryCompatibility(operations);
    return manifest;
  }

  /** Keyed hash of the plaintext: what the local cache is in step with. Empty before the first write. */
  get id(): Uint8Array {
    return this.#id;
  }

  get idHex(): string {
    return toHex(this.#id);
  }

  /** UTC, later than in all manifests of the repository before; empty before the first write. */
  get timestamp(): string {
    return this.#timestamp;
  }

  get tamVerified(): boolean {
    return this.#tamVerified;
  }

  /** @throws MandatoryFeatureUnsupported */
  checkRepositoryCompatibility(operations: readonly Operation[]): void {
    for (const operation of operations) {
      const missing = this.#mandatory(operation).filter((feature) => !SUPPORTED_REPO_FEATURES.has(feature));
      if (missing.length > 0) {
        throw new MandatoryFeatureUnsupported([`[${missing.map((name) => `'${name}'`).join(', ')}]`]);
      }
    }
  }

  /** The features that the repository demands for any operation. */
  mandatoryFeatures(): Set<string> {
    const flags = this.config.get('feature_flags');
    const operations = flags instanceof Map ? [...flags.keys()] : [];
    return new Set(operations.flatMap((operation) => this.#mandatory(String(operation))));
  }

  /** Puts the manifest into the running transaction, with a new timestamp and a TAM. */
  async write(): Promise<void> {
    if (this.key.tamRequired) this.config.set('tam_required', true);
    this.#timestamp = nextTimestamp(this.#timestamp, this.#ctx.nowNs());
    const data = encodeManifest({
      version: 1,
      archives: this.archives,
      timestamp: this.#timestamp,
      config: this.config,
      itemKeys: [...this.itemKeys],
    });
    this.#tamVerified = true;
    const plaintext = this.key.packAuthenticated(data, 'manifest');
    this.#id = this.key.idHash(plaintext);
    await this.repository.put(MANIFEST_ID, await this.key.seal(this.compressor.compress(plaintext)));
  }

  #mandatory(operation: string): string[] {
    const flags = this.config.get('feature_flags');
    const requirements = flags instanceof Map ? flags.get(operation) : undefined;
    const mandatory = requirements instanceof Map ? requirements.get('mandatory') : undefined;
    return isArray(mandatory) ? mandatory.map(featureName) : [];
  }

  /** An authenticated manifest's word decides whether one without authentication will be taken from now on. */
  #rememberTamRequired(): void {
    const required = this.config.get('tam_required') === true;
    if (required !== isTamRequired(this.#ctx, this.repository.idHex)) {
      setTamRequired(this.#ctx, this.repository.idHex, required);
    }
  }
}

async function sealedManifest(repository: Repository): Promise<Uint8Array> {
  try {
    return await repository.get(MANIFEST_ID);
  } catch (error) {
    if (error instanceof ObjectNotFound) throw new NoManifestError([], error);
    throw error;
  }
}

function isArray(value: MsgpackValue | undefined): value is readonly MsgpackValue[] {
  return Array.isArray(value);
}

function featureName(value: MsgpackValue): string {
  return value instanceof Uint8Array ? toUtf8Lossy(value) : JSON.stringify(value);
}
