import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { idHash } from '../../src/crypto/id-hash.ts';
import { decodeArchiveMetadata, encodeArchiveMetadata } from '../../src/format/archive-metadata.ts';
import { decodeHints, encodeHints } from '../../src/format/hints.ts';
import { decodeIndexFile, encodeIndexFile, splitIndexFile } from '../../src/format/index-file.ts';
import { computeIntegrityData, verifyIntegrityData } from '../../src/format/integrity-data.ts';
import { decodeItem, encodeItem } from '../../src/format/item.ts';
import { encodeKeyRecord, encodeKeyfile } from '../../src/format/key-blob.ts';
import { decodeManifest, encodeManifest } from '../../src/format/manifest.ts';
import { decodeNonce, encodeNonce } from '../../src/format/nonce.ts';
import { decodeRepositoryConfig, encodeRepositoryConfig } from '../../src/format/repository-config.ts';
import {
  decodeRepositoryIntegrity,
  encodeRepositoryIntegrity,
} from '../../src/format/repository-integrity.ts';
import { SEGMENT_MAGIC, TAG_DELETE, TAG_PUT, decodeEntryHeader } from '../../src/format/segment.ts';
import { encodeCommit, encodeDelete, encodePut } from '../../src/format/segment.ts';
import { protectKey, unprotectKey } from '../../src/keys/key-protection.ts';
import { packWithTam, unpackWithTam } from '../../src/keys/tam.ts';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { concatBytes, fromBinaryString, toHex } from '../../src/util/bytes.ts';
import { initXxh64 } from '../../src/util/xxh64.ts';
import { GOLDEN_MODES, GoldenRepository } from '../golden-repository.ts';

const MANIFEST_ID = '00'.repeat(32);

/** A value as Borg's debug dumps write it: text where it is UTF-8, else DEL and hex. */
function asDumped(value: MsgpackValue): unknown {
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString('utf8');
    return value[0] !== 0x7f && Buffer.from(text).equals(value) ? text : `\x7f${toHex(value)}`;
  }
  if (value instanceof Map) {
    return Object.fromEntries(
      [...value].map(([key, inner]) => [
        Buffer.from(fromBinaryString(String(key))).toString('utf8'),
        asDumped(inner),
      ]),
    );
  }
  if (Array.isArray(value)) return value.map(asDumped);
  // JSON.parse() loses the same digits of a large number.
  return typeof value === 'bigint' ? Number(value) : value;
}

function splitSegment(segment: number, bytes: Uint8Array): Uint8Array[] {
  assert.deepEqual(bytes.subarray(0, 8), SEGMENT_MAGIC);
  const entries: Uint8Array[] = [];
  for (let offset = 8; offset < bytes.length;) {
    const header = decodeEntryHeader(bytes, offset, bytes.length - offset, { segment, offset });
    entries.push(bytes.subarray(offset, offset + header.sizeBytes));
    offset += header.sizeBytes;
  }
  return entries;
}

function encodeAgain(entry: Uint8Array): Uint8Array {
  const key = entry.subarray(9, 41);
  if (entry[8] === TAG_PUT) return encodePut(key, entry.subarray(41));
  return entry[8] === TAG_DELETE ? encodeDelete(key) : encodeCommit();
}

before(initXxh64);

for (const mode of GOLDEN_MODES) {
  describe(`the golden repository of mode ${mode}`, () => {
    let golden: GoldenRepository;
    before(async () => {
      golden = await GoldenRepository.open(mode);
    });

    test('has a config that decodeRepositoryConfig() reads and encodeRepositoryConfig() writes back', () => {
      const text = Buffer.from(golden.read('config')).toString('utf8');
      const config = decodeRepositoryConfig(text);
      assert.equal(toHex(config.id), golden.facts.repositoryId);
      assert.equal(encodeRepositoryConfig(config), text);
    });

    test('has segments that split into entries and come out the same when encoded again', () => {
      for (const [number, bytes] of golden.segments) {
        const entries = splitSegment(number, bytes);
        assert.deepEqual(concatBytes([SEGMENT_MAGIC, ...entries.map(encodeAgain)]), bytes);
      }
    });

    test('has an index that points at every object', () => {
      const ids = [...golden.places.keys()].toSorted();
      assert.deepEqual(
        ids,
        [MANIFEST_ID, ...Object.keys(golden.facts.objects)]
          .toSorted()
          .filter((id, i, all) => all[i - 1] !== id),
      );
      for (const [id, [segment, offset]] of golden.places) {
        const entry = golden.segments.get(segment)!.subarray(offset, offset + 41);
        assert.equal(entry[8], TAG_PUT);
        assert.equal(toHex(entry.subarray(9)), id);
      }
    });

    test('has integrity data that verifies hints and index, and that computeIntegrityData() gives too', () => {
      const n = golden.transaction;
      const bytes = golden.read(`integrity.${n}`);
      const integrity = decodeRepositoryIntegrity(bytes);
      assert.ok('index' in integrity);
      const index = splitIndexFile(golden.read(`index.${n}`));
      const hints = [{ bytes: golden.read(`hints.${n}`) }];
      assert.ok(verifyIntegrityData(integrity.index, `index.${n}`, index));
      assert.ok(verifyIntegrityData(integrity.hints, `hints.${n}`, hints));
      const computed = {
        hints: computeIntegrityData(`hints.${n}`, hints),
        index: computeIntegrityData(`index.${n}`, index),
      };
      assert.deepEqual(encodeRepositoryIntegrity(computed), bytes);
    });

    test('has an index and hints that come out the same when encoded again', () => {
      const indexFile = golden.read(`index.${golden.transaction}`);
      const index = decodeIndexFile(indexFile, { valueWords: 2 });
      assert.deepEqual(concatBytes(encodeIndexFile(index).map((part) => part.bytes)), indexFile);
      const hintsFile = golden.read(`hints.${golden.transaction}`);
      const hints = decodeHints(hintsFile);
      assert.ok('compact' in hints);
      assert.deepEqual(encodeHints(hints), hintsFile);
      assert.deepEqual(Object.fromEntries(hints.segments), golden.facts.hints['segments']);
      assert.deepEqual(Object.fromEntries(hints.compact), golden.facts.hints['compact']);
      assert.equal(hints.storageQuotaUseBytes, golden.facts.hints['storage_quota_use']);
      const shadow = [...hints.shadowIndex].map(([key, segments]) => [
        toHex(fromBinaryString(key)),
        segments,
      ]);
      assert.deepEqual(Object.fromEntries(shadow), golden.facts.hints['shadow_index']);
    });

    test('has objects that open to the content that the reference gives, under their ids', () => {
      for (const [id, { size, sha256 }] of Object.entries(golden.facts.objects)) {
        const content = golden.open(id);
        assert.equal(content.length, size, id);
        assert.equal(createHash('sha256').update(content).digest('hex'), sha256, id);
        if (id !== MANIFEST_ID) assert.equal(toHex(idHash(golden.material, content)), id);
      }
    });

    test('has a manifest that comes out the same when packed again', () => {
      const packed = golden.open(MANIFEST_ID);
      const { value, tam, salt } = unpackWithTam(golden.material, packed, 'manifest');
      assert.equal(tam, 'valid');
      const { tam: _, ...dumped } = golden.facts.manifest;
      assert.deepEqual(asDumped(value), dumped);
      const manifest = decodeManifest(value);
      assert.deepEqual(
        [...manifest.archives.keys()],
        golden.facts.archives.map(({ _name }) => _name).toSorted(),
      );
      assert.deepEqual(packWithTam(golden.material, encodeManifest(manifest), 'manifest', salt), packed);
    });

    test('has archives that come out the same when packed again', () => {
      const manifest = decodeManifest(
        unpackWithTam(golden.material, golden.open(MANIFEST_ID), 'manifest').value,
      );
      for (const { _name, _meta } of golden.facts.archives) {
        const packed = golden.open(toHex(manifest.archives.get(_name)!.id));
        const { value, tam, salt } = unpackWithTam(golden.material, packed, 'archive');
        assert.equal(tam, 'valid');
        const { tam: _, ...dumped } = _meta;
        assert.deepEqual(asDumped(value), dumped);
        const archive = decodeArchiveMetadata(value);
        assert.equal(archive.name, _name);
        assert.equal(archive.unknown, undefined);
        assert.deepEqual(
          packWithTam(golden.material, encodeArchiveMetadata(archive), 'archive', salt),
          packed,
        );
      }
    });

    test('has items that come out the same when packed again', () => {
      const manifest = decodeManifest(
        unpackWithTam(golden.material, golden.open(MANIFEST_ID), 'manifest').value,
      );
      for (const { _name, _items } of golden.facts.archives) {
        const packed = golden.open(toHex(manifest.archives.get(_name)!.id));
        const archive = decodeArchiveMetadata(unpackWithTam(golden.material, packed, 'archive').value);
        const stream = concatBytes(archive.items.map((id) => golden.open(toHex(id))));
        const unpacker = new Unpacker();
        unpacker.feed(stream);
        const values = [...unpacker];
        assert.deepEqual(values.map(asDumped), _items);
        const items = values.map(decodeItem);
        assert.ok(items.every((item) => item.unknown === undefined));
        assert.deepEqual(concatBytes(items.map(encodeItem)), stream);
      }
    });
  });
}

for (const mode of GOLDEN_MODES.filter((name) => name !== 'none')) {
  test(`the golden key of mode ${mode} survives decoding and encoding`, async () => {
    const { facts, secrets, read } = await GoldenRepository.open(mode).then((golden) => ({
      facts: golden.facts,
      secrets: golden.secrets!,
      read: (name: string) => Buffer.from(golden.read(name)).toString('utf8'),
    }));
    assert.equal(toHex(secrets.repositoryId), facts.repositoryId);
    const text = facts.key!.slice(facts.key!.indexOf('\n') + 1);
    assert.equal(encodeKeyfile(facts.repositoryId, text.trimEnd()), facts.key);
    const again = await unprotectKey(await protectKey(secrets, facts.passphrase), facts.passphrase);
    assert.deepEqual(encodeKeyRecord(again!), encodeKeyRecord(secrets));
    assert.equal(await unprotectKey(text, 'another passphrase'), undefined);
    if (!mode.startsWith('keyfile')) {
      const blob = decodeRepositoryConfig(read('config')).ini.get('repository')!.get('key');
      assert.equal(blob, text.trimEnd());
    }
    if (!mode.startsWith('authenticated')) {
      const nonce = read('nonce');
      assert.equal(encodeNonce(decodeNonce(nonce)), nonce);
    }
  });
}
