import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadKey } from '../../src/keys/load-key.ts';
import { migrateToRepokey } from '../../src/keys/migrate-to-repokey.ts';
import { fromHex, toHex, toUtf8Lossy } from '../../src/util/bytes.ts';
import { fakeContext, FakeRepository } from './fakes.ts';

const base = mkdtempSync(join(tmpdir(), 'alcove-migrate-'));
after(() => rmSync(base, { recursive: true }));

/** Made by Borg 1.4.5 in passphrase mode: "manifest of old", compressed with LZ4. */
const vector = {
  repositoryId: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  passphrase: 'old passphrase',
  envelope:
    '01ba3d148d7bfa8337cc6d5662d28cf1bb4fedc5c561a3c0b3fde9717bf4bfd9ca000000000000000005f8589509b31293f2f4313415d3576159',
  encKey: '61a26768352e51b9d9f8d1d88b3187716c3358b5dad3586e9421a23dbca4368b',
  encHmacKey: 'c2238098676da5bff90a6f1a757c9777819d558616612abee965666ce605f76c',
  idKey: '709936742c1ef231440ebdbfe1f17709b5bca788d9b0ec024291750f431b85be',
  chunkSeed: -1257799331,
};
const manifest = fromHex(vector.envelope);

describe('migrateToRepokey()', () => {
  it('gives a passphrase repository a repokey with the same secrets', async () => {
    const repository = new FakeRepository(vector.repositoryId);
    const ctx = fakeContext({
      BORG_BASE_DIR: base,
      BORG_PASSPHRASE: vector.passphrase,
      BORG_NEW_PASSPHRASE: 'new',
    });
    await migrateToRepokey(ctx, repository, manifest);
    const key = await loadKey(
      fakeContext({ BORG_BASE_DIR: base, BORG_PASSPHRASE: 'new' }),
      repository,
      manifest,
    );
    assert.equal(toHex(key.material.encKey), vector.encKey);
    assert.equal(toHex(key.material.encHmacKey), vector.encHmacKey);
    assert.equal(toHex(key.material.idKey), vector.idKey);
    assert.equal(key.chunkSeed, vector.chunkSeed);
    assert.equal(key.tamRequired, false);
    assert.match(toUtf8Lossy(key.open(undefined, manifest)), /manifest of old$/);
  });

  it('asks again once, and leaves no key where the passphrase is wrong', async () => {
    const repository = new FakeRepository(vector.repositoryId);
    const ctx = fakeContext({ BORG_BASE_DIR: base }, ['a', 'b', vector.passphrase]);
    await assert.rejects(migrateToRepokey(ctx, repository, manifest), { msgid: 'PasswordRetriesExceeded' });
    assert.deepEqual(ctx.prompts, Array(2).fill('Enter passphrase for /path/to/repository: '));
    assert.equal(repository.keyBlob, '');
  });
});
