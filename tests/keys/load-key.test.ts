import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { BorgError } from '../../src/errors.ts';
import { changePassphrase, saveTamRequired } from '../../src/keys/change-passphrase.ts';
import { createKey } from '../../src/keys/create-key.ts';
import type { Key } from '../../src/keys/key.ts';
import { protectKey } from '../../src/keys/key-protection.ts';
import { KEY_TYPES } from '../../src/keys/key-type.ts';
import { loadKey } from '../../src/keys/load-key.ts';
import { decodeRelatedSecrets, encodeRelatedSecrets } from '../../src/keys/related-secrets.ts';
import { setTamRequired } from '../../src/keys/tam-required.ts';
import { fromHex, fromUtf8, toHex } from '../../src/util/bytes.ts';
import type { Environment } from '../../src/util/context.ts';
import { fakeContext, FakeRepository } from './fakes.ts';
import { vectorOf, vectors, type KeyVector } from './vectors.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'alcove-keys-'));
});
afterEach(() => rmSync(base, { recursive: true }));

const context = (env: Environment = {}, typed?: readonly string[]) =>
  fakeContext({ BORG_BASE_DIR: base, ...env }, typed);
const keysFolder = () => join(base, '.config/borg/keys');
const msgid = (expected: string) => (error: unknown) =>
  error instanceof BorgError && error.msgid === expected;

/** The repository of a vector, its keyfile put where it is looked for. */
function repositoryOf(vector: KeyVector): FakeRepository {
  const repository = new FakeRepository(vector.repositoryId);
  if (vector.encryption.startsWith('keyfile')) {
    mkdirSync(keysFolder(), { recursive: true });
    writeFileSync(join(keysFolder(), 'name'), vector.key!);
  } else repository.keyBlob = vector.key ?? '';
  return repository;
}

describe('loadKey()', () => {
  for (const vector of vectors) {
    it(`opens the key of the reference with ${vector.encryption} (${JSON.stringify(vector.passphrase)})`, async () => {
      const repository = repositoryOf(vector);
      const ctx = context({ BORG_PASSPHRASE: vector.passphrase });
      const key = await loadKey(ctx, repository, fromHex(vector.manifest));
      assert.equal(key.type.argName, vector.encryption);
      const { encKey, encHmacKey, idKey } = key.material;
      const { chunkSeed, tamRequired } = key;
      assert.deepEqual(
        { encKey: toHex(encKey), encHmacKey: toHex(encHmacKey), idKey: toHex(idKey), chunkSeed, tamRequired },
        vector.record ?? { encKey: '', encHmacKey: '', idKey: '', chunkSeed: 0, tamRequired: false },
      );
      const encrypted = /^(?:key|repo)/.test(vector.encryption) && vector.passphrase !== '';
      assert.equal(key.logicallyEncrypted, encrypted);
      const chunkId = fromHex(vector.chunkId);
      const payload = key.open(chunkId, fromHex(vector.chunk));
      assert.equal(toHex(payload), vector.chunkPayload);
      key.assertId(chunkId, payload.subarray(2));
      assert.deepEqual(ctx.prompts, []);
    });
  }

  const repokey = vectorOf('repokey');
  const manifest = fromHex(repokey.manifest);

  it('goes on behind the nonces of the manifest that it was given', async () => {
    const ctx = context({ BORG_PASSPHRASE: repokey.passphrase });
    const key = await loadKey(ctx, repositoryOf(repokey), manifest);
    const used = new DataView(manifest.buffer).getBigUint64(33);
    assert.equal(await key.leaseNonces(1), used + BigInt(Math.ceil(manifest.length / 16)));
    const sealed = await key.seal(fromUtf8('x'.repeat(33)));
    assert.deepEqual(key.open(undefined, sealed), fromUtf8('x'.repeat(33)));
    assert.equal(
      readFileSync(join(base, `.config/borg/security/${repokey.repositoryId}/nonce`), 'utf8').length,
      16,
    );
  });

  it('writes nothing to disk where nothing is sealed', async () => {
    await loadKey(context({ BORG_PASSPHRASE: repokey.passphrase }), repositoryOf(repokey), manifest);
    assert.deepEqual(readdirSync(base), []);
  });

  it('rejects a wrong passphrase from the environment at once', async () => {
    for (const wrong of ['', 'wrong']) {
      const ctx = context({ BORG_PASSPHRASE: wrong }, [repokey.passphrase]);
      await assert.rejects(loadKey(ctx, repositoryOf(repokey), manifest), msgid('PassphraseWrong'));
      assert.deepEqual(ctx.prompts, []);
    }
  });

  it('tries the empty passphrase, then asks three times', async () => {
    const ctx = context({}, ['a', 'b', repokey.passphrase]);
    await loadKey(ctx, repositoryOf(repokey), manifest);
    assert.deepEqual(ctx.prompts, Array(3).fill('Enter passphrase for key /path/to/repository: '));
    const wrong = context({}, ['a', 'b', 'c', repokey.passphrase]);
    await assert.rejects(loadKey(wrong, repositoryOf(repokey), manifest), msgid('PasswordRetriesExceeded'));
    assert.equal(wrong.prompts.length, 3);
    const blank = vectors.find(({ passphrase }) => passphrase === '')!;
    const silent = context();
    const key = await loadKey(silent, repositoryOf(blank), fromHex(blank.manifest));
    assert.equal(key.logicallyEncrypted, false);
    assert.deepEqual(silent.prompts, []);
  });

  it('says what is set where it can ask nobody', async () => {
    await assert.rejects(loadKey(context(), repositoryOf(repokey), manifest), {
      msgid: 'NoPassphraseFailure',
      message:
        'Cannot acquire a passphrase: BORG_PASSPHRASE is not set. BORG_PASSCOMMAND is not set. Interactive password query failed.',
    });
  });

  it('takes the passphrase from BORG_PASSCOMMAND, without a shell and without secrets in its environment', async () => {
    const script = join(base, 'pass command');
    writeFileSync(
      script,
      `#!/bin/sh\n[ "$1" = 'a b' ] && [ "$2" = '$HOME' ] && [ -z "$BORG_NEW_PASSPHRASE" ] && printf '%s\\n\\n' 'correct horse'\n`,
    );
    chmodSync(script, 0o755);
    const env = { BORG_PASSCOMMAND: `'${script}' "a b" $HOME`, BORG_NEW_PASSPHRASE: 'x' };
    await loadKey(context(env), repositoryOf(repokey), manifest);
  });

  it('names a failing BORG_PASSCOMMAND without its arguments', async () => {
    for (const [command, expected] of [
      ['false topsecret', /^Passcommand supplied in BORG_PASSCOMMAND failed: .*false.*1/],
      ['/nonexistent/program topsecret', /No such file or directory.*nonexistent/],
      ["'unclosed topsecret", /No closing quotation/],
    ] as const) {
      await assert.rejects(
        loadKey(context({ BORG_PASSCOMMAND: command }), repositoryOf(repokey), manifest),
        (error) => {
          assert.ok(error instanceof BorgError && error.msgid === 'PasscommandFailure');
          assert.match(error.message, expected);
          assert.doesNotMatch(error.message, /topsecret/);
          return true;
        },
      );
    }
  });

  it('takes the passphrase from BORG_PASSPHRASE_FD, once', async () => {
    const path = join(base, 'secret');
    writeFileSync(path, 'correct horse\r\n');
    const ctx = context({ BORG_PASSPHRASE_FD: String(openSync(path, 'r')) });
    await loadKey(ctx, repositoryOf(repokey), manifest);
    await assert.rejects(loadKey(ctx, repositoryOf(repokey), manifest), msgid('NoPassphraseFailure'));
    assert.equal(ctx.prompts.length, 0);
    const asked = context({ BORG_PASSPHRASE_FD: 'no number' }, ['correct horse']);
    await loadKey(asked, repositoryOf(repokey), manifest);
    assert.equal(asked.prompts.length, 1);
  });

  it('rejects a key blob that is missing or damaged, by what is wrong with it', async () => {
    const blob = repokey.key!;
    const bytes = Buffer.from(blob, 'base64');
    const at = (offset: number) => {
      const damaged = Buffer.from(bytes);
      damaged[offset]! ^= 1;
      return damaged.toString('base64');
    };
    const cases: [string, string, string][] = [
      ['no blob', '', 'RepoKeyNotFoundError'],
      ['not base64', '!!!', 'KeyfileInvalidError'],
      ['cut in a digit', blob.slice(0, 101), 'KeyfileInvalidError'],
      ['cut in half', blob.slice(0, 100), 'KeyfileInvalidError'],
      ['too short', 'AAAA', 'KeyfileInvalidError'],
      ['map header', at(0), 'KeyfileInvalidError'],
      ['name of the first field', at(2), 'KeyfileInvalidError'],
      ['algorithm', at(bytes.indexOf('sha256')), 'Error'],
      ['encrypted secrets', at(bytes.indexOf('data') + 30), 'PassphraseWrong'],
      ['hash', at(bytes.indexOf('hash') + 10), 'PassphraseWrong'],
      ['salt', at(bytes.indexOf('salt') + 10), 'PassphraseWrong'],
      ['iterations', at(bytes.indexOf('iterations') + 14), 'PassphraseWrong'],
      ['version', at(bytes.length - 1), 'Error'],
    ];
    for (const [name, damaged, expected] of cases) {
      const repository = repositoryOf(repokey);
      repository.keyBlob = damaged;
      const promise = loadKey(context({ BORG_PASSPHRASE: repokey.passphrase }), repository, manifest);
      await assert.rejects(promise, msgid(expected), name);
    }
  });

  it('rejects secrets of the wrong sizes', async () => {
    const record = {
      repositoryId: new Uint8Array(32),
      encKey: new Uint8Array(32),
      encHmacKey: new Uint8Array(32),
      idKey: new Uint8Array(32),
      chunkSeed: 0,
      tamRequired: true,
    };
    const repository = new FakeRepository();
    for (const wrong of [{ encKey: new Uint8Array(31) }, { encHmacKey: new Uint8Array(128) }]) {
      repository.keyBlob = await protectKey({ ...record, ...wrong }, '');
      await assert.rejects(loadKey(context(), repository, manifest), msgid('KeyfileInvalidError'));
    }
    repository.keyBlob = await protectKey(record, '');
    assert.equal((await loadKey(context(), repository, manifest)).type.argName, 'repokey');
  });

  it('rejects an unknown type, and takes an old passphrase repository for one with a repokey', async () => {
    await assert.rejects(loadKey(context(), repositoryOf(repokey), fromHex('7f00')), {
      msgid: 'UnsupportedPayloadError',
      message: 'Unsupported payload type 127. A newer version is required to access this repository.',
    });
    const old = manifest.slice();
    old[0] = 0x01;
    const key = await loadKey(context({ BORG_PASSPHRASE: repokey.passphrase }), repositoryOf(repokey), old);
    assert.equal(key.type.argName, 'repokey');
    assert.equal(toHex(key.open(undefined, old).subarray(2)), repokey.manifestPlain);
  });

  it('reads an authenticated repository without its key, if told so, and only such a one', async () => {
    const env = { BORG_WORKAROUNDS: 'authenticated_no_key' };
    for (const mode of ['authenticated', 'authenticated-blake2']) {
      const vector = vectorOf(mode);
      const ctx = context(env);
      const key = await loadKey(ctx, new FakeRepository(vector.repositoryId), fromHex(vector.manifest));
      assert.equal(key.tamRequired, false);
      assert.equal(key.unpackManifest(fromHex(vector.manifestPlain)).verified, false);
      await assert.rejects(changePassphrase(ctx, repositoryOf(vector), key), msgid('CommandError'));
    }
    await assert.rejects(
      loadKey(context(env), new FakeRepository(), manifest),
      msgid('RepoKeyNotFoundError'),
    );
  });

  it('asks the security folder where an old key does not say whether TAM is required', async () => {
    const repository = new FakeRepository();
    const ctx = context({ BORG_PASSPHRASE: '' });
    const key = await createKey(ctx, repository, 'repokey');
    key.tamRequired = undefined as unknown as boolean;
    await changePassphrase(ctx, repository, key);
    const envelope = await key.seal(fromUtf8('manifest'));
    assert.equal((await loadKey(ctx, repository, envelope)).tamRequired, false);
    setTamRequired(ctx, repository.idHex, true);
    assert.equal((await loadKey(ctx, repository, envelope)).tamRequired, true);
    setTamRequired(ctx, repository.idHex, false);
    assert.equal((await loadKey(ctx, repository, envelope)).tamRequired, false);
  });
});

describe('keyfiles', () => {
  const vector = vectorOf('keyfile');
  const manifest = fromHex(vector.manifest);
  const load = (env: Environment = {}) =>
    loadKey(
      context({ BORG_PASSPHRASE: vector.passphrase, ...env }),
      new FakeRepository(vector.repositoryId),
      manifest,
    );

  it('are found among others in BORG_KEYS_DIR', async () => {
    const folder = join(base, 'some keys');
    mkdirSync(join(folder, 'a folder'), { recursive: true });
    writeFileSync(join(folder, 'a'), 'junk');
    writeFileSync(join(folder, 'b'), vectorOf('keyfile-blake2').key!);
    writeFileSync(join(folder, 'c'), vector.key!);
    assert.equal((await load({ BORG_KEYS_DIR: folder })).target, join(folder, 'c'));
  });

  it('are missed with the name of the folder', async () => {
    mkdirSync(keysFolder(), { recursive: true });
    writeFileSync(join(keysFolder(), 'b'), vectorOf('keyfile-blake2').key!);
    await assert.rejects(load(), {
      msgid: 'KeyfileNotFoundError',
      message: `No key file for repository /path/to/repository found in ${keysFolder()}.`,
    });
  });

  it('are checked where BORG_KEY_FILE names one', async () => {
    const path = join(base, 'my key');
    const [header, ...lines] = vector.key!.split('\n');
    const cases: [string, string][] = [
      ['', 'KeyfileInvalidError'],
      ['junk', 'KeyfileInvalidError'],
      [vectorOf('keyfile-blake2').key!, 'KeyfileMismatchError'],
      ['BORG_KEY 1234\nAAAA', 'KeyfileMismatchError'],
      [header!, 'KeyfileInvalidError'],
      [`${header!}0\n${lines.join('\n')}`, 'KeyfileInvalidError'],
      [`${header!}\nAAAA\n`, 'KeyfileInvalidError'],
      [`${header!}\n${lines.join('\n').trimEnd().slice(0, -1)}`, 'KeyfileInvalidError'],
    ];
    for (const [text, expected] of cases) {
      writeFileSync(path, text);
      await assert.rejects(load({ BORG_KEY_FILE: path }), msgid(expected), JSON.stringify(text));
    }
    rmSync(path);
    await assert.rejects(load({ BORG_KEY_FILE: path }), msgid('KeyfileNotFoundError'));
    writeFileSync(path, vector.key!.replaceAll('\n', '\r\n'));
    assert.equal((await load({ BORG_KEY_FILE: path })).target, path);
  });
});

describe('createKey()', () => {
  for (const type of KEY_TYPES) {
    it(`makes a key for ${type.argName} that loadKey() opens`, async () => {
      const repository = new FakeRepository();
      const ctx = context({ BORG_PASSPHRASE: 'pä ss' });
      const key = await createKey(ctx, repository, type.argName);
      assert.equal(key.tamRequired, type.argName !== 'none');
      const payload = fromUtf8('payload');
      const sealed = await key.seal(payload);
      assert.equal(sealed[0], type.typeByte);
      const again = await loadKey(ctx, repository, sealed);
      assert.deepEqual(again.material, key.material);
      assert.equal(again.chunkSeed, key.chunkSeed);
      assert.equal(again.logicallyEncrypted, key.logicallyEncrypted);
      assert.deepEqual(again.open(undefined, sealed), payload);
    });
  }

  it('makes secrets of the sizes that Borg makes', async () => {
    for (const [mode, macKeyBytes] of [
      ['repokey', 32],
      ['repokey-blake2', 128],
      ['authenticated-blake2', 128],
    ] as const) {
      const { material, chunkSeed } = await createKey(
        context({ BORG_PASSPHRASE: '' }),
        new FakeRepository(),
        mode,
      );
      assert.deepEqual(
        [material.encKey.length, material.encHmacKey.length, material.idKey.length],
        [32, macKeyBytes, macKeyBytes],
      );
      assert.ok(Number.isInteger(chunkSeed));
      if (macKeyBytes === 128) {
        for (const key of [material.encHmacKey, material.idKey]) {
          assert.ok(key.subarray(64).every((byte) => byte === 0));
          assert.ok(key.subarray(0, 64).some((byte) => byte !== 0));
        }
      }
    }
  });

  it('writes a keyfile for its owner alone, named after the location', async () => {
    const ctx = context({ BORG_PASSPHRASE: '' });
    const paths: string[] = [];
    for (const location of ['/some/path: x', 'ssh://me@host.org:22/./päth/', '/some/path: x']) {
      const repository = new FakeRepository();
      repository.location = location;
      paths.push((await createKey(ctx, repository, 'keyfile')).target);
    }
    assert.deepEqual(
      paths.map((path) => path.slice(keysFolder().length + 1)),
      ['some_path__x', 'host_org__päth', 'some_path__x.2'],
    );
    const typed = await createKey(ctx, new FakeRepository(), 'keyfile', { location: '../my repo' });
    assert.equal(typed.target, join(keysFolder(), 'my_repo'));
    assert.equal(statSync(paths[0]!).mode & 0o777, 0o600);
  });

  it('does not overwrite the key that BORG_KEY_FILE names', async () => {
    const path = join(base, 'key');
    const ctx = context({ BORG_PASSPHRASE: '', BORG_KEY_FILE: path });
    await createKey(ctx, new FakeRepository(), 'keyfile');
    const before = readFileSync(path);
    await assert.rejects(createKey(ctx, new FakeRepository(), 'keyfile'), {
      message: `Error: Aborting because key in "${path}" already exists.`,
    });
    assert.deepEqual(readFileSync(path), before);
  });

  it('asks twice for a new passphrase until both are the same', async () => {
    const ctx = context({}, ['a', 'b', 'c', 'c']);
    const repository = new FakeRepository();
    await createKey(ctx, repository, 'repokey');
    assert.deepEqual(ctx.prompts, [
      'Enter new passphrase: ',
      'Enter same passphrase again: ',
      'Enter new passphrase: ',
      'Enter same passphrase again: ',
    ]);
    assert.deepEqual(ctx.reporter.told, ['Passphrases do not match']);
    assert.equal(ctx.reporter.questions[0]!.env, 'BORG_DISPLAY_PASSPHRASE');
    const never = context(
      {},
      Array.from({ length: 20 }, (_, i) => String(i)),
    );
    await assert.rejects(createKey(never, new FakeRepository(), 'repokey'), msgid('PasswordRetriesExceeded'));
    assert.equal(never.prompts.length, 20);
  });

  it('shows the passphrase if that is wanted, and never logs it', async () => {
    const ctx = context({}, ['sesämi', 'sesämi']);
    ctx.reporter.answer = true;
    await createKey(ctx, new FakeRepository(), 'repokey');
    assert.equal(ctx.reporter.shown[0], 'Your passphrase (between double-quotes): "sesämi"');
    assert.equal(ctx.reporter.shown[2], 'Your passphrase (UTF-8 encoding in hex): 736573c3a46d69');
    assert.doesNotMatch(JSON.stringify(ctx.reporter.lines), /ses|736573/);
  });

  it('asks whether to show the passphrase, whatever BORG_DISPLAY_PASSPHRASE answers, unless asked not to', async () => {
    const answered = context({ BORG_DISPLAY_PASSPHRASE: 'no' }, ['a', 'a']);
    await createKey(answered, new FakeRepository(), 'repokey');
    assert.equal(answered.reporter.questions.length, 1);
    const quick = context({}, ['a', 'a']);
    await createKey(quick, new FakeRepository(), 'repokey', { offerDisplay: false });
    assert.deepEqual(quick.reporter.questions, []);
  });

  it('takes BORG_NEW_PASSPHRASE before BORG_PASSPHRASE', async () => {
    const repository = new FakeRepository();
    const key = await createKey(
      context({ BORG_PASSPHRASE: 'old', BORG_NEW_PASSPHRASE: 'new' }),
      repository,
      'repokey',
    );
    const envelope = await key.seal(fromUtf8('x'));
    await loadKey(context({ BORG_PASSPHRASE: 'new' }), repository, envelope);
    await assert.rejects(
      loadKey(context({ BORG_PASSPHRASE: 'old' }), repository, envelope),
      msgid('PassphraseWrong'),
    );
  });

  it('shares ids and cut points with a related repository', async () => {
    const ctx = context({ BORG_PASSPHRASE: '' });
    const first = await createKey(ctx, new FakeRepository(), 'keyfile');
    const relatedSecrets = decodeRelatedSecrets(encodeRelatedSecrets(first), 'file');
    const second = await createKey(ctx, new FakeRepository(), 'repokey', { relatedSecrets });
    assert.equal(second.chunkSeed, first.chunkSeed);
    assert.deepEqual(second.idHash(fromUtf8('data')), first.idHash(fromUtf8('data')));
    assert.notDeepEqual(second.material.encKey, first.material.encKey);
    await assert.rejects(
      createKey(ctx, new FakeRepository(), 'repokey-blake2', { relatedSecrets }),
      /same ID hash/,
    );
  });
});

describe('decodeRelatedSecrets()', () => {
  it('rejects what is no such file', () => {
    const good = { version: 1, id_key: '00', chunk_seed: 1, key_name: 'repokey' };
    const cases: [string, RegExp][] = [
      ['', /Invalid JSON in related secrets file: the file/],
      ['null', /Invalid JSON/],
      ['{}', /Unsupported related secrets version: None/],
      [JSON.stringify({ ...good, version: 2 }), /Unsupported related secrets version: 2/],
      [JSON.stringify({ ...good, id_key: 'xy' }), /Invalid id_key/],
      [JSON.stringify({ ...good, id_key: 1 }), /Invalid id_key/],
      [JSON.stringify({ ...good, chunk_seed: 2 ** 31 }), /Invalid chunk_seed/],
    ];
    for (const [text, expected] of cases)
      assert.throws(() => decodeRelatedSecrets(text, 'the file'), expected);
  });
});

describe('changePassphrase()', () => {
  for (const mode of ['repokey', 'keyfile-blake2', 'authenticated']) {
    it(`keeps the secrets of ${mode} and locks out the old passphrase`, async () => {
      const vector = vectorOf(mode);
      const repository = repositoryOf(vector);
      const manifest = fromHex(vector.manifest);
      const load = (passphrase: string): Promise<Key> =>
        loadKey(context({ BORG_PASSPHRASE: passphrase }), repository, manifest);
      const key = await load(vector.passphrase);
      const target = await changePassphrase(context({ BORG_NEW_PASSPHRASE: '' }), repository, key);
      assert.equal(target, key.target);
      const again = await load('');
      assert.deepEqual(again.material, key.material);
      assert.equal(key.logicallyEncrypted, again.logicallyEncrypted);
      await assert.rejects(load(vector.passphrase), msgid('PassphraseWrong'));
    });
  }

  it('has a sister, saveTamRequired(), that keeps the passphrase', async () => {
    const vector = vectorOf('repokey');
    const repository = repositoryOf(vector);
    const ctx = context({ BORG_PASSPHRASE: vector.passphrase });
    const manifest = fromHex(vector.manifest);
    const key = await loadKey(ctx, repository, manifest);
    for (const required of [false, true]) {
      assert.equal(await saveTamRequired(ctx, repository, key, required), key.target);
      assert.equal((await loadKey(ctx, repository, manifest)).tamRequired, required);
    }
    const none = await createKey(ctx, new FakeRepository(), 'none');
    assert.equal(await saveTamRequired(ctx, new FakeRepository(), none, true), undefined);
    assert.equal(none.tamRequired, false);
  });

  it('has nothing to do without encryption', async () => {
    const repository = new FakeRepository();
    const ctx = context();
    const key = await createKey(ctx, repository, 'none');
    await assert.rejects(changePassphrase(ctx, repository, key), msgid('CommandError'));
  });
});
