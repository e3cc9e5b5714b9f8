/** The golden repositories that scripts/make-vectors.ts made with the reference Borg, and how to look into them. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decompress } from '../src/compress/decompress.ts';
import { openEnvelope } from '../src/crypto/envelope.ts';
import { initCrypto } from '../src/crypto/init-crypto.ts';
import type { KeyMaterial } from '../src/crypto/key-material.ts';
import { decodeIndexFile } from '../src/format/index-file.ts';
import { decodeKeyfile } from '../src/format/key-blob.ts';
import type { KeyRecord } from '../src/format/key-blob.ts';
import { readUint32 } from '../src/format/segment.ts';
import { unprotectKey } from '../src/keys/key-protection.ts';
import { keyTypeByArgName } from '../src/keys/key-type.ts';
import { fromHex, toHex } from '../src/util/bytes.ts';

export const GOLDEN_ROOT: string = fileURLToPath(new URL('vectors/repositories', import.meta.url));
export const GOLDEN_MODES: readonly string[] = [
  'none',
  'authenticated',
  'authenticated-blake2',
  'repokey',
  'keyfile',
  'repokey-blake2',
  'keyfile-blake2',
];

/** What Borg says about a golden repository; metadata as its debug commands dump it. */
export interface GoldenFacts {
  borg: string;
  mode: string;
  passphrase: string;
  repositoryId: string;
  /** As exported, a keyfile; null without encryption. */
  key: string | null;
  manifest: Record<string, unknown>;
  hints: Record<string, unknown>;
  archives: { _name: string; _meta: Record<string, unknown>; _items: Record<string, unknown>[] }[];
  /** By id in hex, without the manifest. */
  objects: Record<string, { size: number; sha256: string }>;
  /** Lines of `{type} {mode} {uid} {gid} {size} {num_chunks} {sha256} {isomtime} {path}` by archive name. */
  files: Record<string, string>;
}

export class GoldenRepository {
  readonly path: string;
  readonly facts: GoldenFacts;
  readonly material: KeyMaterial;
  /** The secrets in the key blob; undefined without encryption. */
  readonly secrets: KeyRecord | undefined;
  /** Highest number of the index and hints files. */
  readonly transaction: number;
  readonly #segments = new Map<number, Uint8Array>();
  readonly #places = new Map<string, [segment: number, offset: number]>();

  private constructor(mode: string, facts: GoldenFacts, secrets: KeyRecord | undefined) {
    const { typeByte, cipher, mac, idHash } = keyTypeByArgName(mode)!;
    this.path = join(GOLDEN_ROOT, mode);
    this.facts = facts;
    this.secrets = secrets;
    const none = new Uint8Array(0);
    const { encKey = none, encHmacKey = none, idKey = none } = secrets ?? {};
    this.material = { typeByte, cipher, mac, idHash, encKey, encHmacKey, idKey };
    const index = readdirSync(this.path).find((name) => name.startsWith('index.'))!;
    this.transaction = Number(index.slice('index.'.length));
    for (const name of readdirSync(join(this.path, 'data/0'))) {
      this.#segments.set(Number(name), this.read(`data/0/${name}`));
    }
    const table = decodeIndexFile(this.read(index), { valueWords: 2 });
    for (const [key, bucket] of table.entries()) {
      this.#places.set(toHex(key), [table.valueAt(bucket, 0), table.valueAt(bucket, 1)]);
    }
  }

  static async open(mode: string): Promise<GoldenRepository> {
    await initCrypto();
    const text = readFileSync(join(GOLDEN_ROOT, `${mode}.json`), 'utf8');
    const facts = JSON.parse(text) as GoldenFacts;
    if (facts.key === null) return new GoldenRepository(mode, facts, undefined);
    const secrets = await unprotectKey(decodeKeyfile(facts.key).keyText, facts.passphrase);
    if (secrets === undefined) throw new Error('the golden passphrase is wrong');
    return new GoldenRepository(mode, facts, secrets);
  }

  /** A file of the repository. */
  read(name: string): Uint8Array {
    return new Uint8Array(readFileSync(join(this.path, name)));
  }

  /** Segments by number, in order. */
  get segments(): ReadonlyMap<number, Uint8Array> {
    return new Map([...this.#segments].toSorted(([a], [b]) => a - b));
  }

  /** Where the index says that objects are, by id in hex. */
  get places(): ReadonlyMap<string, [segment: number, offset: number]> {
    return this.#places;
  }

  /** The sealed object. */
  get(idHex: string): Uint8Array {
    const [segment, offset] = this.#places.get(idHex)!;
    const bytes = this.#segments.get(segment)!;
    return bytes.subarray(offset + 41, offset + readUint32(bytes, offset + 4));
  }

  /** The object's plain content. */
  open(idHex: string): Uint8Array {
    return decompress(openEnvelope(this.material, fromHex(idHex), this.get(idHex)));
  }
}
