/**
 * The envelope around each object of a repository.
 *
 * Encrypted:
 *
 * | offset | size | field | encoding                                                                |
 * |--------|------|-------|-------------------------------------------------------------------------|
 * | 0      | 1    | type  | key type; not authenticated                                             |
 * | 1      | 32   | mac   | over nonce and ciphertext                                               |
 * | 33     | 8    | nonce | big-endian number of the first AES block; upper half of the counter: 0  |
 * | 41     | n    | data  | AES-256-CTR of the payload                                              |
 *
 * Otherwise: type (1 byte), then the payload. Neither knows what the payload is (a compressed chunk).
 *
 * Source: Borg 1.4.5, crypto/low_level.pyx, AES256_CTR_BASE; crypto/key.py, AESKeyBase, AuthenticatedKeyBase,
 * PlaintextKey.
 */
import { IntegrityError } from '../errors.ts';
import { toHex } from '../util/bytes.ts';
import { BLOCK_SIZE_BYTES } from './aes-ctr.ts';
import { blake2b256 } from './blake2b.ts';
import { constantTimeEqual } from './constant-time.ts';
import type { LaneHash } from './hash-lanes.ts';
import type { KeyMaterial } from './key-material.ts';
import { cipherWith, hmacWith } from './secret-keys.ts';

const MAC_OFFSET = 1;
const NONCE_OFFSET = 33;
/** Bytes that encryption adds. */
export const ENVELOPE_OVERHEAD_BYTES = 41;

const NONCE_LIMIT = 1n << 64n;
/** Type of the passphrase mode of Borg before 1.0, whose repositories are read with a repokey. */
const PASSPHRASE_TYPE = 0x01;
const PLAINTEXT_TYPE = 0x02;
const REPOKEY_TYPES: readonly number[] = [0x03, 0x05];

const NO_BYTES = new Uint8Array(0);

// One for all calls: memory for each would take longer than setting up the cipher.
const COUNTER_NONCE_OFFSET = 8;
const counter = new Uint8Array(BLOCK_SIZE_BYTES);
const counterView = new DataView(counter.buffer);
const counterNonce = counter.subarray(COUNTER_NONCE_OFFSET);

/** AES blocks, hence nonces, that a payload of this length takes. */
export function envelopeNonceBlocks(payloadLength: number): number {
  return Math.ceil(payloadLength / BLOCK_SIZE_BYTES);
}

/** The nonce that an encrypted envelope begins with. Throws an IntegrityError where it is too short for one. */
export function envelopeNonce(envelope: Uint8Array): bigint {
  if (envelope.length < ENVELOPE_OVERHEAD_BYTES) {
    throw new IntegrityError(['Manifest: Invalid encryption envelope']);
  }
  return new DataView(envelope.buffer, envelope.byteOffset, envelope.length).getBigUint64(NONCE_OFFSET);
}

/** Whether an object with this first byte may be opened with the key. */
export function acceptsType(material: KeyMaterial, typeByte: number | undefined): boolean {
  return (
    typeByte === material.typeByte ||
    (typeByte === PASSPHRASE_TYPE && REPOKEY_TYPES.includes(material.typeByte))
  );
}

/** Bytes of the envelope around a payload of this length. */
export function envelopeSizeBytes(material: KeyMaterial, payloadLength: number): number {
  return (material.cipher === 'none' ? 1 : ENVELOPE_OVERHEAD_BYTES) + payloadLength;
}

/**
 * Seals a payload. `nonce` numbers its first AES block; the caller owns `envelopeNonceBlocks(payload.length)`
 * numbers from there on and never uses one twice. Ignored without encryption. The result has its own buffer.
 */
export function sealEnvelope(material: KeyMaterial, nonce: bigint, payload: Uint8Array): Uint8Array {
  const envelope = freshMemory(envelopeSizeBytes(material, payload.length));
  encryptEnvelopeInto(material, nonce, payload, envelope);
  addMacs(material, [envelope]);
  return envelope;
}

/**
 * The same into memory of exactly `envelopeSizeBytes`, but for the MAC, whose place is left as it is: the envelope is
 * nothing before addMacs() completes it. The payload may be in its place already. Where it goes on elsewhere, with `rest`,
 * what is before that is of whole AES blocks.
 */
export function encryptEnvelopeInto(
  material: KeyMaterial,
  nonce: bigint,
  payload: Uint8Array,
  envelope: Uint8Array,
  rest: Uint8Array = NO_BYTES,
): void {
  const sizeBytes = payload.length + rest.length;
  if (envelope.length !== envelopeSizeBytes(material, sizeBytes)) {
    throw new RangeError(`${envelope.length} bytes are not the size of the envelope`);
  }
  envelope[0] = material.typeByte;
  if (material.cipher === 'none') {
    envelope.set(payload, 1);
    envelope.set(rest, 1 + payload.length);
    return;
  }
  if (nonce < 0n || nonce + BigInt(envelopeNonceBlocks(sizeBytes)) > NONCE_LIMIT) {
    throw new RangeError('the nonces of this key are used up');
  }
  if (rest.length > 0 && payload.length % BLOCK_SIZE_BYTES !== 0) {
    throw new RangeError(`${payload.length} bytes are not whole AES blocks`);
  }
  const restAt = ENVELOPE_OVERHEAD_BYTES + payload.length;
  const cipher = cipherWith(material);
  counterView.setBigUint64(COUNTER_NONCE_OFFSET, nonce);
  envelope.set(counterNonce, NONCE_OFFSET);
  cipher.applyInto(counter, payload, envelope.subarray(ENVELOPE_OVERHEAD_BYTES, restAt));
  if (rest.length === 0) return;
  counterView.setBigUint64(COUNTER_NONCE_OFFSET, nonce + BigInt(payload.length / BLOCK_SIZE_BYTES));
  cipher.applyInto(counter, rest, envelope.subarray(restAt));
}

/** Completes envelopes: many at once take less time than each by itself. */
export function addMacs(material: KeyMaterial, envelopes: readonly Uint8Array[]): void {
  if (material.cipher === 'none') return;
  const macs = computeMacs(material, envelopes.map(authenticatedPart));
  for (let index = 0; index < envelopes.length; index++) envelopes[index]!.set(macs[index]!, MAC_OFFSET);
}

/**
 * The payload of an envelope. Throws an IntegrityError where the type is not this key's or the MAC does not
 * verify; `id` only names the chunk in the message. Without encryption nothing is verified here (the id is, once
 * the payload is decompressed), and the result is a view into `envelope`.
 */
export function openEnvelope(
  material: KeyMaterial,
  id: Uint8Array | undefined,
  envelope: Uint8Array,
): Uint8Array {
  const payload = verifiedPayload(material, id, envelope);
  if (material.cipher === 'none') return payload;
  const plain = freshMemory(payload.length);
  cipherWith(material).applyInto(counterOf(envelope), payload, plain);
  return plain;
}

/**
 * Opens many, and leaves the payload of each where its ciphertext was: the envelopes are spoilt, and no memory is taken.
 * Undefined for those that openEnvelope() would refuse. MACs of many take less time than of each by itself.
 */
export function openEnvelopesInPlace(
  material: KeyMaterial,
  envelopes: readonly Uint8Array[],
): (Uint8Array | undefined)[] {
  const formed = envelopes.filter((envelope) => isFormed(material, envelope));
  const macs = isAuthenticated(material) ? computeMacs(material, formed.map(authenticatedPart)) : [];
  let next = 0;
  return envelopes.map((envelope) =>
    envelope === formed[next] ? openInPlace(material, envelope, macs[next++]) : undefined,
  );
}

/** Whether envelopes of this key have a MAC. */
export function isAuthenticated(material: KeyMaterial): boolean {
  return material.cipher !== 'none';
}

/** What is hashed for the MAC; undefined for an envelope that openEnvelope() would refuse before. */
export function macMessage(material: KeyMaterial, envelope: Uint8Array): Uint8Array | undefined {
  return isFormed(material, envelope) ? authenticatedPart(envelope) : undefined;
}

/** The MAC of a macMessage(), to be hashed beside another message. */
export function macLaneHash(material: KeyMaterial): LaneHash {
  if (material.mac === 'hmac-sha256') return hmacWith(material, 'encHmacKey');
  return { digest: (message) => computeMacs(material, [message])[0]! };
}

/** One, whose MAC was computed, if it has one, as openEnvelopesInPlace() does it. */
export function openInPlace(
  material: KeyMaterial,
  envelope: Uint8Array,
  mac: Uint8Array | undefined,
): Uint8Array | undefined {
  if (!isFormed(material, envelope)) return undefined;
  if (!isAuthenticated(material)) return envelope.subarray(1);
  if (mac === undefined || !constantTimeEqual(mac, macOf(envelope))) return undefined;
  const payload = envelope.subarray(ENVELOPE_OVERHEAD_BYTES);
  cipherWith(material).applyInto(counterOf(envelope), payload, payload);
  return payload;
}

/** What the envelope holds, still encrypted; after all that can be verified of it was. */
function verifiedPayload(
  material: KeyMaterial,
  id: Uint8Array | undefined,
  envelope: Uint8Array,
): Uint8Array {
  const encrypted = material.cipher === 'aes-256-ctr';
  if (!isFormed(material, envelope)) {
    const kind = encrypted || material.typeByte === PLAINTEXT_TYPE ? 'encryption envelope' : 'envelope';
    throw new IntegrityError([`Chunk ${nameOf(id)}: Invalid ${kind}`]);
  }
  if (!encrypted) return envelope.subarray(1);
  const [mac] = computeMacs(material, [authenticatedPart(envelope)]);
  if (mac === undefined || !constantTimeEqual(mac, macOf(envelope))) {
    throw new IntegrityError([`Chunk ${nameOf(id)}: Could not decrypt [MAC Authentication failed]`]);
  }
  return envelope.subarray(ENVELOPE_OVERHEAD_BYTES);
}

/** Whether it is of the key's type, and long enough. */
function isFormed(material: KeyMaterial, envelope: Uint8Array): boolean {
  const leastBytes = material.cipher === 'none' ? 1 : ENVELOPE_OVERHEAD_BYTES;
  return acceptsType(material, envelope[0]) && envelope.length >= leastBytes;
}

function macOf(envelope: Uint8Array): Uint8Array {
  return envelope.subarray(MAC_OFFSET, NONCE_OFFSET);
}

function authenticatedPart(envelope: Uint8Array): Uint8Array {
  return envelope.subarray(NONCE_OFFSET);
}

/** Valid until the next call. */
function counterOf(envelope: Uint8Array): Uint8Array {
  counterNonce.set(envelope.subarray(NONCE_OFFSET, ENVELOPE_OVERHEAD_BYTES));
  return counter;
}

function computeMacs(material: KeyMaterial, messages: readonly Uint8Array[]): Uint8Array[] {
  switch (material.mac) {
    case 'hmac-sha256': {
      const hmac = hmacWith(material, 'encHmacKey');
      return messages.length === 1 ? [hmac.digest(messages[0]!)] : hmac.digests(messages);
    }
    case 'blake2b-256':
      return messages.map((message) => blake2b256(material.encHmacKey, message));
    case 'none':
      throw new TypeError('an encrypted envelope needs a MAC');
  }
}

/** Not zero-filled, not from Buffer's pool: every byte is written, and the buffer can be transferred. */
function freshMemory(sizeBytes: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
}

function nameOf(id: Uint8Array | undefined): string {
  return id === undefined ? '(unknown)' : toHex(id);
}
