/** Manifests of earlier transactions, as the log still has them. */
import { envelopeNonce, envelopeNonceBlocks, ENVELOPE_OVERHEAD_BYTES } from '../../crypto/envelope.ts';
import { BorgError, NoManifestError, UnsupportedPayloadError } from '../../errors.ts';
import { MetadataError } from '../../format/metadata-fields.ts';
import { decodeManifest, type ManifestData } from '../../format/manifest.ts';
import { identifyKeyType, type KeyType } from '../../keys/key-type.ts';
import type { Key } from '../../keys/key.ts';
import { loadKey } from '../../keys/load-key.ts';
import { SecurityManager } from '../../keys/security-manager.ts';
import { readManifest, type LoggedTransaction } from '../../repository/history.ts';
import type { SegmentRepository } from '../../repository/segment-repository.ts';
import type { Context } from '../../util/context.ts';
import { isIntegrityError } from '../check/object-source.ts';
import { openObject } from '../repo-object.ts';

/** Why there is nothing to be read, for people. */
export interface UnreadableManifest {
  readonly problem: string;
}

/**
 * The key of the repository, by the newest manifest of a kind that this client knows the repository for: the last ones
 * may be an attacker's.
 *
 * @throws NoManifestError; what loading the key throws
 */
export async function loadKeyOfHistory(
  ctx: Context,
  repository: SegmentRepository,
  history: readonly LoggedTransaction[],
): Promise<Key> {
  const remembered = new SecurityManager(ctx, repository).rememberedKeyType;
  for (const { manifest } of history.toReversed()) {
    const sealed = manifest && readSealed(repository, manifest);
    const type = sealed && keyTypeOf(sealed);
    if (sealed === undefined || type === undefined) continue;
    if (remembered !== undefined && remembered !== type.typeByte) continue;
    return loadKey(ctx, repository, sealed);
  }
  throw new NoManifestError();
}

/** The manifest that the transaction wrote, verified; undefined where it wrote none. */
export function openLoggedManifest(
  repository: SegmentRepository,
  key: Key,
  { manifest }: LoggedTransaction,
): ManifestData | UnreadableManifest | undefined {
  if (manifest === undefined) return undefined;
  try {
    const plaintext = openObject(key, undefined, readManifest(repository.log, manifest));
    return decodeManifest(key.unpackManifest(plaintext).value);
  } catch (error) {
    if (error instanceof BorgError || error instanceof MetadataError || isIntegrityError(error)) {
      return { problem: error.message };
    }
    throw error;
  }
}

/** The first nonce behind all that the manifests of the transactions use; undefined where none are encrypted. */
export function firstUnusedNonce(
  repository: SegmentRepository,
  transactions: readonly LoggedTransaction[],
): bigint | undefined {
  let first: bigint | undefined;
  for (const { manifest } of transactions) {
    const sealed = manifest && readSealed(repository, manifest);
    const type = sealed && keyTypeOf(sealed);
    if (sealed === undefined || type === undefined || type.cipher === 'none') continue;
    if (sealed.length < ENVELOPE_OVERHEAD_BYTES) continue;
    const end = envelopeNonce(sealed) + BigInt(envelopeNonceBlocks(sealed.length - ENVELOPE_OVERHEAD_BYTES));
    if (first === undefined || end > first) first = end;
  }
  return first;
}

function readSealed(
  repository: SegmentRepository,
  place: NonNullable<LoggedTransaction['manifest']>,
): Uint8Array | undefined {
  try {
    return readManifest(repository.log, place);
  } catch (error) {
    if (isIntegrityError(error)) return undefined;
    throw error;
  }
}

function keyTypeOf(sealed: Uint8Array): KeyType | undefined {
  try {
    return identifyKeyType(sealed);
  } catch (error) {
    if (error instanceof UnsupportedPayloadError) return undefined;
    throw error;
  }
}
