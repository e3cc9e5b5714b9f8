import { constantTimeEqual } from '../crypto/constant-time.ts';
import { envelopeNonceBlocks, openEnvelope, sealEnvelope } from '../crypto/envelope.ts';
import { idHash } from '../crypto/id-hash.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import {
  ArchiveTAMInvalid,
  ArchiveTAMRequiredError,
  IntegrityError,
  TAMInvalid,
  TAMRequiredError,
  TAMUnsupportedSuiteError,
  UnsupportedManifestError,
} from '../errors.ts';
import type { MsgpackMap, MsgpackValue } from '../msgpack/value.ts';
import { toHex } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import type { KeyType } from './key-type.ts';
import type { NonceManager } from './nonce-manager.ts';
import { asciiOf, packWithTam, unpackMap, unpackWithTam, type TamContext, type TamState } from './tam.ts';
import { hasWorkaround } from './workarounds.ts';

const LOGGER = { logger: 'borg.crypto.key' };

export interface KeyParts {
  type: KeyType;
  material: KeyMaterial;
  /** Id of the repository that the secrets were made for. */
  repositoryId: Uint8Array;
  /** Canonical location of the repository, for messages. */
  location: string;
  chunkSeed: number;
  tamRequired: boolean;
  logicallyEncrypted: boolean;
  target: string;
  /** Undefined without encryption. */
  nonces: NonceManager | undefined;
  unverified?: boolean;
}

export interface UnpackedManifest {
  value: MsgpackMap;
  verified: boolean;
}

export interface UnpackedArchive extends UnpackedManifest {
  /** Undefined where the archive was not verified. */
  salt: Uint8Array | undefined;
}

/**
 * An opened key: names, seals and opens the objects of one repository, and authenticates its metadata.
 *
 * Source: Borg 1.4.5, crypto/key.py, KeyBase and AESKeyBase.
 */
export class Key {
  readonly type: KeyType;
  /** For worker threads; secret. */
  readonly material: KeyMaterial;
  readonly repositoryId: Uint8Array;
  /** Secret seed of the buzhash chunker, signed 32 bits. */
  readonly chunkSeed: number;
  /** Where the key is kept: a path, or the repository's location. */
  readonly target: string;
  /** The secrets are not known (BORG_WORKAROUNDS=authenticated_no_key): reads, but verifies nothing. */
  readonly unverified: boolean;
  /** Whether manifest and archives must carry a TAM. */
  tamRequired: boolean;
  /** Whether a thief of the repository can't read it: a repokey without a passphrase does not count. */
  logicallyEncrypted: boolean;
  readonly #ctx: Context;
  readonly #location: string;
  readonly #nonces: NonceManager | undefined;

  constructor(ctx: Context, parts: KeyParts) {
    this.#ctx = ctx;
    this.type = parts.type;
    this.material = parts.material;
    this.repositoryId = parts.repositoryId;
    this.chunkSeed = parts.chunkSeed;
    this.target = parts.target;
    this.tamRequired = parts.tamRequired;
    this.logicallyEncrypted = parts.logicallyEncrypted;
    this.#location = parts.location;
    this.#nonces = parts.nonces;
    this.unverified = parts.unverified ?? false;
  }

  /** Id of a chunk, from its plaintext. */
  idHash(data: Uint8Array): Uint8Array {
    return idHash(this.material, data);
  }

  /** First of `blocks` nonces for the caller alone; 0 without encryption, where none are needed. */
  async leaseNonces(blocks: number): Promise<bigint> {
    return this.#nonces === undefined ? 0n : this.#nonces.lease(blocks);
  }

  /** From now on, no nonce below this one is used: an object that was verified shows that they are taken. */
  avoidNoncesBelow(nonce: bigint): void {
    this.#nonces?.avoidBelow(nonce);
  }

  /** Replaces the repository's mark of used nonces, which is damaged. Before anything is sealed. */
  async renewNonceMark(): Promise<void> {
    await this.#nonces?.renewRepositoryMark();
  }

  /** Seals a payload, which is compressed already. */
  async seal(payload: Uint8Array): Promise<Uint8Array> {
    return sealEnvelope(this.material, await this.leaseNonces(envelopeNonceBlocks(payload.length)), payload);
  }

  /** The payload of a sealed object, still compressed. Throws an IntegrityError. */
  open(id: Uint8Array | undefined, envelope: Uint8Array): Uint8Array {
    return openEnvelope(this.material, id, envelope);
  }

  /** Throws an IntegrityError unless `id` is the plaintext's. */
  assertId(id: Uint8Array, plaintext: Uint8Array): void {
    if (this.unverified) return;
    if (!constantTimeEqual(this.idHash(plaintext), id)) {
      throw new IntegrityError([`Chunk ${toHex(id)}: id verification failed`]);
    }
  }

  /** Packs metadata with its TAM. */
  packAuthenticated(
    metadata: MsgpackMap | Readonly<Record<string, MsgpackValue>>,
    context: TamContext,
    salt?: Uint8Array,
  ): Uint8Array {
    return packWithTam(this.material, metadata, context, salt);
  }

  /**
   * Unpacks the decrypted manifest; `forceTamNotRequired` lets one without TAM pass, a wrong TAM never passes.
   * Throws TAMRequiredError, TAMInvalid, TAMUnsupportedSuiteError, UnsupportedManifestError, IntegrityError.
   */
  unpackManifest(data: Uint8Array, options: { forceTamNotRequired?: boolean } = {}): UnpackedManifest {
    // c1 is no msgpack: Borg marks manifests of a later format so.
    if (data.length >= 4 && data.subarray(0, 4).every((byte) => byte === 0xc1)) {
      throw new UnsupportedManifestError();
    }
    if (this.unverified) return { value: this.#unpackUnverified(data, 'manifest'), verified: false };
    if (options.forceTamNotRequired === true && this.tamRequired) {
      this.#ctx.reporter.log('warning', 'Manifest authentication DISABLED.', LOGGER);
    }
    const required = this.tamRequired && options.forceTamNotRequired !== true;
    const { value, tam } = unpackWithTam(this.material, data, 'manifest');
    if (tam === 'valid') this.#debug('TAM-verified manifest');
    else if (tam === 'invalid') throw new TAMInvalid();
    else if (tam === 'missing' && required) throw new TAMRequiredError([this.#location]);
    else this.#passUnverified('manifest', tam, required);
    return { value, verified: tam === 'valid' };
  }

  /**
   * Unpacks decrypted archive metadata. Throws ArchiveTAMRequiredError, ArchiveTAMInvalid,
   * TAMUnsupportedSuiteError, IntegrityError.
   */
  unpackArchive(data: Uint8Array, options: { forceTamNotRequired?: boolean } = {}): UnpackedArchive {
    if (this.unverified) {
      return { value: this.#unpackUnverified(data, 'archive'), verified: false, salt: undefined };
    }
    if (options.forceTamNotRequired === true && this.tamRequired) {
      this.#debug('Archive authentication DISABLED.');
    }
    const required = this.tamRequired && options.forceTamNotRequired !== true;
    const { value, tam, salt } = unpackWithTam(this.material, data, 'archive');
    if (tam === 'valid') {
      this.#debug('TAM-verified archive');
      return { value, verified: true, salt };
    }
    if (tam === 'invalid') {
      // Only a MAC that is there and wrong is ignored, not one that is malformed (no salt).
      if (salt === undefined || !hasWorkaround(this.#ctx.env, 'ignore_invalid_archive_tam')) {
        throw new ArchiveTAMInvalid();
      }
      this.#debug('ignoring invalid archive TAM due to BORG_WORKAROUNDS');
    } else if (tam === 'missing' && required) {
      const name = value.get('name');
      throw new ArchiveTAMRequiredError([name instanceof Uint8Array ? asciiOf(name) : '<unknown>']);
    } else this.#passUnverified('archive', tam, required);
    return { value, verified: false, salt: undefined };
  }

  #unpackUnverified(data: Uint8Array, context: TamContext): MsgpackMap {
    const value = unpackMap(data, context);
    value.delete('tam');
    return value;
  }

  #passUnverified(context: TamContext, tam: Exclude<TamState, 'valid' | 'invalid'>, required: boolean): void {
    if (tam === 'missing') {
      this.#debug(`${context === 'manifest' ? 'Manifest' : 'Archive'} TAM not found and not required`);
      return;
    }
    const type = `'${tam.unsupportedType}'`;
    if (required) throw new TAMUnsupportedSuiteError([JSON.stringify(type)]);
    this.#debug(`Ignoring ${context} TAM made with unsupported suite, since TAM is not required: ${type}`);
  }

  #debug(message: string): void {
    this.#ctx.reporter.log('debug', message, LOGGER);
  }
}
