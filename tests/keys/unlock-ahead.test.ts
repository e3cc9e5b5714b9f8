import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { protectKey } from '../../src/keys/key-protection.ts';
import { unlockAhead, unlockKey } from '../../src/keys/unlock-ahead.ts';
import { FakeRepository, fakeContext } from './fakes.ts';
import { vectorOf } from './vectors.ts';

const { key, passphrase, repositoryId } = vectorOf('repokey');
const keyText = key!;
const ctx = fakeContext({ BORG_PASSPHRASE: passphrase });

async function repositoryWith(keyBlob: string): Promise<FakeRepository> {
  const repository = new FakeRepository(repositoryId);
  repository.keyBlob = keyBlob;
  await unlockAhead(ctx, repository);
  return repository;
}

describe('unlockAhead()', () => {
  it('begins what unlockKey() gives, once', async () => {
    const repository = await repositoryWith(keyText);
    const [first, second] = [
      await unlockKey(repository, keyText, passphrase),
      await unlockKey(repository, keyText, passphrase),
    ];
    assert.deepEqual(first, second);
    assert.ok(first !== undefined && first !== second);
  });

  it('leaves another passphrase to be tried, and another key to be opened', async () => {
    const secrets = (await unlockKey(await repositoryWith(keyText), keyText, passphrase))!;
    assert.equal(await unlockKey(await repositoryWith(keyText), keyText, `${passphrase}?`), undefined);
    const otherSecrets = { ...secrets, chunkSeed: secrets.chunkSeed ^ 1 };
    const otherText = await protectKey(otherSecrets, passphrase);
    assert.deepEqual(await unlockKey(await repositoryWith(keyText), otherText, passphrase), otherSecrets);
  });

  it('says nothing of a key that is damaged or missing, but who needs it does', async () => {
    for (const damaged of ['', 'no key', keyText.slice(0, 40)]) {
      const repository = await repositoryWith(damaged);
      await assert.rejects(unlockKey(repository, damaged, passphrase), { name: 'KeyBlobError' });
    }
  });
});
