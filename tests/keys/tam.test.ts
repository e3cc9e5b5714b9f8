import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initCrypto } from '../../src/crypto/init-crypto.ts';
import { BorgError } from '../../src/errors.ts';
import { Key } from '../../src/keys/key.ts';
import { keyTypeByArgName } from '../../src/keys/key-type.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackMap, MsgpackValue } from '../../src/msgpack/value.ts';
import { fromHex, fromUtf8 } from '../../src/util/bytes.ts';
import type { Environment } from '../../src/util/context.ts';
import { fakeContext } from './fakes.ts';
import { materialOf, vectorOf, vectors, type KeyVector } from './vectors.ts';

function keyOf(
  vector: KeyVector,
  env: Environment = {},
  parts: { tamRequired?: boolean; unverified?: boolean } = {},
) {
  const ctx = fakeContext(env);
  const key = new Key(ctx, {
    type: keyTypeByArgName(vector.encryption)!,
    material: materialOf(vector),
    repositoryId: fromHex(vector.repositoryId),
    location: '/repo',
    chunkSeed: 0,
    tamRequired: vector.encryption !== 'none',
    logicallyEncrypted: true,
    target: '/repo',
    nonces: undefined,
    ...parts,
  });
  return { ctx, key };
}

const repokey = vectorOf('repokey');
const manifest = { version: 1, archives: {}, timestamp: 't', config: {}, item_keys: [] };
const error = (msgid: string, message?: string) => (thrown: unknown) =>
  thrown instanceof BorgError &&
  thrown.msgid === msgid &&
  (message === undefined || thrown.message === message);

/** The packed map with its TAM changed. */
function withTam(packed: Uint8Array, change: (tam: MsgpackMap) => MsgpackValue | undefined): Uint8Array {
  const map = decode(packed) as MsgpackMap;
  const tam = change(map.get('tam') as MsgpackMap);
  if (tam === undefined) map.delete('tam');
  else map.set('tam', tam);
  return encode(map);
}

/** Every way in which a TAM can be malformed or wrong. */
const invalid: [string, (tam: MsgpackMap) => MsgpackValue][] = [
  ['no map', () => 1],
  ['null', () => null],
  ['a type that is a number', (tam) => new Map([...tam, ['type', 1]])],
  ['no hmac', (tam) => new Map([...tam].filter(([key]) => key !== 'hmac'))],
  ['no salt', (tam) => new Map([...tam].filter(([key]) => key !== 'salt'))],
  ['an empty hmac', (tam) => new Map([...tam, ['hmac', new Uint8Array(0)]])],
  ['a short hmac', (tam) => new Map([...tam, ['hmac', new Uint8Array(32)]])],
  ['a wrong hmac', (tam) => new Map([...tam, ['hmac', new Uint8Array(64)]])],
  ['another salt', (tam) => new Map([...tam, ['salt', new Uint8Array(64)]])],
  ['an empty salt', (tam) => new Map([...tam, ['salt', new Uint8Array(0)]])],
];

before(() => initCrypto());

describe('Key.unpackManifest()', () => {
  for (const vector of vectors) {
    it(`verifies the manifest of the reference with ${vector.encryption}, and its archive in unpackArchive()`, () => {
      const { key } = keyOf(vector);
      const { value, verified } = key.unpackManifest(fromHex(vector.manifestPlain));
      assert.ok(verified);
      assert.deepEqual([...value.keys()], ['archives', 'config', 'item_keys', 'timestamp', 'version']);
      const archive = key.unpackArchive(fromHex(vector.archivePlain));
      assert.ok(archive.verified);
      assert.equal(archive.salt?.length, 64);
      assert.deepEqual(archive.value.get('name'), fromUtf8('one'));
      assert.ok(!archive.value.has('tam'));
    });
  }

  it('rejects a change of any byte', () => {
    const packed = fromHex(repokey.manifestPlain);
    for (let offset = 0; offset < packed.length; offset++) {
      const damaged = packed.slice();
      damaged[offset]! ^= 1;
      assert.throws(() => keyOf(repokey).key.unpackManifest(damaged), BorgError, `byte ${offset}`);
    }
  });

  it('rejects a malformed or wrong TAM, even where none is required', () => {
    const packed = keyOf(repokey).key.packAuthenticated(manifest, 'manifest');
    for (const [name, change] of invalid) {
      const data = withTam(packed, change);
      for (const force of [false, true]) {
        const { key } = keyOf(repokey, {}, { tamRequired: !force });
        assert.throws(
          () => key.unpackManifest(data, { forceTamNotRequired: force }),
          error('TAMInvalid', 'Data integrity error: Manifest authentication did not verify'),
          name,
        );
      }
    }
  });

  it('does not take an archive for a manifest, nor a manifest for an archive', () => {
    const { key } = keyOf(repokey);
    assert.throws(() => key.unpackManifest(key.packAuthenticated(manifest, 'archive')), error('TAMInvalid'));
    assert.throws(
      () => key.unpackArchive(key.packAuthenticated(manifest, 'manifest')),
      error('ArchiveTAMInvalid'),
    );
  });

  it('demands a TAM unless none is required, or it is told not to', () => {
    const data = withTam(keyOf(repokey).key.packAuthenticated(manifest, 'manifest'), () => undefined);
    assert.throws(() => keyOf(repokey).key.unpackManifest(data), error('TAMRequiredError'));
    const lax = keyOf(repokey, {}, { tamRequired: false });
    assert.deepEqual(lax.key.unpackManifest(data).verified, false);
    assert.deepEqual(
      lax.ctx.reporter.lines.filter(({ level }) => level === 'warning'),
      [],
    );
    const forced = keyOf(repokey);
    assert.deepEqual(forced.key.unpackManifest(data, { forceTamNotRequired: true }).verified, false);
    assert.equal(forced.ctx.reporter.lines[0]!.message, 'Manifest authentication DISABLED.');
  });

  it('names a TAM of another type, and ignores it where none is required', () => {
    const data = withTam(
      keyOf(repokey).key.packAuthenticated(manifest, 'manifest'),
      (tam) => new Map([...tam, ['type', fromUtf8('NEW')]]),
    );
    assert.throws(
      () => keyOf(repokey).key.unpackManifest(data),
      error(
        'TAMUnsupportedSuiteError',
        `Could not verify manifest: Unsupported suite "'NEW'"; a newer version is needed.`,
      ),
    );
    assert.equal(keyOf(repokey, {}, { tamRequired: false }).key.unpackManifest(data).verified, false);
  });

  it('knows a manifest of a later format', () => {
    const data = fromHex('c1c1c1c1f0');
    assert.throws(() => keyOf(repokey).key.unpackManifest(data), error('UnsupportedManifestError'));
  });

  it('rejects data that is no map', () => {
    for (const hex of ['', '01', '90', '81', 'c1c1c1', 'df7fffffff']) {
      assert.throws(() => keyOf(repokey).key.unpackManifest(fromHex(hex)), error('IntegrityError'), hex);
    }
  });

  it('verifies nothing, and says so, where the secrets are not known', () => {
    const { key } = keyOf(vectorOf('authenticated'), {}, { unverified: true, tamRequired: false });
    const { value, verified } = key.unpackManifest(fromHex(repokey.manifestPlain));
    assert.equal(verified, false);
    assert.ok(!value.has('tam'));
    key.assertId(new Uint8Array(32), fromUtf8('whatever'));
  });
});

describe('Key.unpackArchive()', () => {
  const archive = { version: 1, name: 'näme' };

  it('rejects a malformed or wrong TAM, even where none is required', () => {
    const packed = keyOf(repokey).key.packAuthenticated(archive, 'archive');
    for (const [name, change] of invalid) {
      const data = withTam(packed, change);
      assert.throws(
        () => keyOf(repokey).key.unpackArchive(data, { forceTamNotRequired: true }),
        error('ArchiveTAMInvalid', 'Data integrity error: Archive authentication did not verify'),
        name,
      );
    }
  });

  it('lets a wrong TAM pass as none with BORG_WORKAROUNDS, but not a malformed one', () => {
    const env = { BORG_WORKAROUNDS: 'basesyncfile,ignore_invalid_archive_tam' };
    const packed = keyOf(repokey).key.packAuthenticated(archive, 'archive');
    const wrong = withTam(packed, (tam) => new Map([...tam, ['hmac', new Uint8Array(64)]]));
    const { verified, salt } = keyOf(repokey, env).key.unpackArchive(wrong);
    assert.deepEqual({ verified, salt }, { verified: false, salt: undefined });
    assert.throws(
      () => keyOf(repokey, env).key.unpackArchive(withTam(packed, () => 1)),
      error('ArchiveTAMInvalid'),
    );
    assert.throws(() => keyOf(repokey, env).key.unpackManifest(wrong), error('TAMInvalid'));
  });

  it('names the archive that has no TAM where one is required', () => {
    const data = withTam(keyOf(repokey).key.packAuthenticated(archive, 'archive'), () => undefined);
    assert.throws(
      () => keyOf(repokey).key.unpackArchive(data),
      error(
        'ArchiveTAMRequiredError',
        "Archive 'n\uFFFD\uFFFDme' is unauthenticated, but it is required for this repository.",
      ),
    );
    assert.equal(keyOf(repokey).key.unpackArchive(data, { forceTamNotRequired: true }).verified, false);
    assert.equal(keyOf(repokey, {}, { tamRequired: false }).key.unpackArchive(data).verified, false);
  });
});

describe('Key.packAuthenticated()', () => {
  for (const vector of vectors) {
    it(`packs the archive of the reference with ${vector.encryption} to the same bytes, given its salt`, () => {
      const { key } = keyOf(vector);
      const packed = fromHex(vector.archivePlain);
      const { value, salt } = key.unpackArchive(packed);
      const reversed = new Map([...value].toReversed());
      assert.deepEqual(key.packAuthenticated(reversed, 'archive', salt), packed);
    });
  }

  it('takes a new salt each time', () => {
    const { key } = keyOf(repokey);
    const [a, b] = [1, 2].map(() => key.packAuthenticated(manifest, 'manifest'));
    assert.notDeepEqual(a, b);
    assert.ok(key.unpackManifest(a!).verified && key.unpackManifest(b!).verified);
  });
});

describe('Key.assertId()', () => {
  it('accepts the id of the data alone', () => {
    const { key } = keyOf(repokey);
    const data = fromUtf8('data');
    const id = key.idHash(data);
    key.assertId(id, data);
    id[31]! ^= 1;
    assert.throws(() => key.assertId(id, data), /Chunk [0-9a-f]{64}: id verification failed/);
  });
});
