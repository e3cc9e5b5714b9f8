import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CacheInitAbortedError } from '../../src/errors.ts';
import { keyTypeByArgName } from '../../src/keys/key-type.ts';
import {
  destroySecurityFolder,
  SecurityManager,
  type AssertSecureOptions,
  type SecurityCacheConfig,
} from '../../src/keys/security-manager.ts';
import { fakeContext, FakeRepository } from './fakes.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'alcove-security-'));
});
afterEach(() => rmSync(base, { recursive: true }));

const encrypted = { type: keyTypeByArgName('repokey')!, logicallyEncrypted: true };
const authenticated = { type: keyTypeByArgName('authenticated')!, logicallyEncrypted: false };
const plaintext = { type: keyTypeByArgName('none')!, logicallyEncrypted: false };
const time = '2026-01-02T03:04:05.000006';
const later = '2026-01-02T03:04:05.000007';

class FakeCacheConfig implements SecurityCacheConfig {
  previousLocation: string | undefined;
  keyType: string | undefined;
  timestamp: string | undefined;
  saved = 0;
  constructor(values: Partial<Pick<SecurityCacheConfig, 'previousLocation' | 'keyType' | 'timestamp'>> = {}) {
    Object.assign(this, values);
  }
  save(): void {
    this.saved++;
  }
}

function setup(answer = false) {
  const ctx = fakeContext({ BORG_SECURITY_DIR: base });
  ctx.reporter.answer = answer;
  const repository = new FakeRepository();
  const file = (name: string) => join(base, repository.idHex, name);
  const check = (key = encrypted, timestamp = time, options: AssertSecureOptions = {}) =>
    new SecurityManager(ctx, repository).assertSecure(key, timestamp, options);
  return { ctx, repository, file, check };
}

const marks = (file: (name: string) => string) =>
  ['location', 'key-type', 'manifest-timestamp'].map((name) => readFileSync(file(name), 'utf8'));

describe('SecurityManager.assertSecure()', () => {
  const withoutPassphrase = { ...encrypted, logicallyEncrypted: false };

  it('asks before a repokey that had a passphrase is used without one', async () => {
    const { ctx, check } = setup(false);
    await check();
    await assert.rejects(check(withoutPassphrase, later), CacheInitAbortedError);
    await check();
    ctx.reporter.answer = true;
    await check(withoutPassphrase, later);
    assert.match(ctx.reporter.questions.at(-1)!.text, /without a passphrase/);
    ctx.reporter.answer = false;
    await check(withoutPassphrase, later);
  });

  it('does not ask when the user took the passphrase away himself', async () => {
    const { ctx, repository, check } = setup();
    await check();
    new SecurityManager(ctx, repository).rememberProtection(withoutPassphrase);
    await check(withoutPassphrase, later);
    assert.deepEqual(ctx.reporter.questions, []);
  });

  it('knows a repokey that never had a passphrase', async () => {
    const { ctx, check } = setup(true);
    await check(withoutPassphrase);
    await check(withoutPassphrase);
    assert.equal(ctx.reporter.questions.length, 1);
  });

  it('remembers a repository that it sees first', async () => {
    const { ctx, file, check } = setup();
    await check();
    assert.deepEqual(marks(file), ['/path/to/repository', '3', time]);
    assert.deepEqual(ctx.reporter.questions, []);
  });

  it('leaves what it knows as it is: only save() raises the timestamp', async () => {
    const { ctx, repository, file, check } = setup();
    await check();
    await check(encrypted, later);
    assert.deepEqual(marks(file), ['/path/to/repository', '3', time]);
    new SecurityManager(ctx, repository).save(encrypted, later);
    assert.deepEqual(marks(file), ['/path/to/repository', '3', later]);
  });

  it('asks before it takes to an unknown unencrypted repository', async () => {
    for (const key of [plaintext, authenticated]) {
      const refused = setup(false);
      await assert.rejects(refused.check(key), { msgid: 'Cache.CacheInitAbortedError' });
      assert.equal(refused.ctx.reporter.questions[0]!.env, 'BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK');
      assert.match(
        refused.ctx.reporter.questions[0]!.text,
        /previously unknown unencrypted repository!\nDo you want to continue\? \[yN\] $/,
      );
      assert.throws(() => marks(refused.file), { code: 'ENOENT' });
      const allowed = setup(true);
      await allowed.check(key);
      await allowed.check(key);
      assert.equal(allowed.ctx.reporter.questions.length, 1);
      rmSync(join(base, allowed.repository.idHex), { recursive: true });
      const made = setup(false);
      await made.check(key, time, { warnIfUnencrypted: false });
      assert.deepEqual(made.ctx.reporter.questions, []);
      rmSync(join(base, made.repository.idHex), { recursive: true });
    }
  });

  it('asks before it sends data to a repository that moved, and remembers the answer', async () => {
    const { ctx, repository, file, check } = setup(false);
    await check();
    repository.location = '/elsewhere';
    await assert.rejects(check(), { msgid: 'Cache.RepositoryAccessAborted' });
    assert.equal(readFileSync(file('location'), 'utf8'), '/path/to/repository');
    assert.deepEqual(ctx.reporter.questions[0], {
      text: 'Warning: The repository at location /elsewhere was previously located at /path/to/repository\nDo you want to continue? [yN] ',
      env: 'BORG_RELOCATED_REPO_ACCESS_IS_OK',
      falseText: 'Aborting.',
      invalidText: 'Invalid answer, aborting.',
      retry: false,
    });
    ctx.reporter.answer = true;
    const cacheConfig = new FakeCacheConfig();
    await check(encrypted, time, { cacheConfig });
    assert.equal(cacheConfig.saved, 1);
    assert.equal(readFileSync(file('location'), 'utf8'), '/elsewhere');
    await check();
    assert.equal(ctx.reporter.questions.length, 2);
  });

  it("believes the cache's location before its own", async () => {
    const { ctx, repository, check } = setup(false);
    await check();
    repository.location = '/elsewhere';
    await check(encrypted, time, { cacheConfig: new FakeCacheConfig({ previousLocation: '/elsewhere' }) });
    assert.deepEqual(ctx.reporter.questions, []);
    repository.location = '/path/to/repository';
    const cacheConfig = new FakeCacheConfig({ previousLocation: '/elsewhere' });
    await assert.rejects(check(encrypted, time, { cacheConfig }), { msgid: 'Cache.RepositoryAccessAborted' });
  });

  it('refuses a repository whose key type changed, by either record', async () => {
    const { file, check } = setup(true);
    await check();
    await assert.rejects(check(plaintext), { msgid: 'Cache.EncryptionMethodMismatch' });
    const cacheConfig = new FakeCacheConfig({ keyType: '2' });
    await assert.rejects(check(encrypted, time, { cacheConfig }), {
      msgid: 'Cache.EncryptionMethodMismatch',
    });
    await check(encrypted, time, { cacheConfig: new FakeCacheConfig({ keyType: '3' }) });
    for (const damaged of ['', '03', '3\n', 'repokey']) {
      writeFileSync(file('key-type'), damaged);
      await assert.rejects(check(), { msgid: 'Cache.EncryptionMethodMismatch' }, JSON.stringify(damaged));
    }
  });

  it('refuses a repository that is older than either record', async () => {
    const { check } = setup(true);
    await check(encrypted, later);
    await check(encrypted, later);
    await assert.rejects(check(encrypted, time), { msgid: 'Cache.RepositoryReplay' });
    const cacheConfig = new FakeCacheConfig({ timestamp: '2026-01-02T03:04:06.000000' });
    await assert.rejects(check(encrypted, later, { cacheConfig }), { msgid: 'Cache.RepositoryReplay' });
    await check(encrypted, later, { cacheConfig: new FakeCacheConfig({ timestamp: time }) });
  });

  it('calls an unencrypted one not unique instead', async () => {
    const { check } = setup(true);
    await check(plaintext, later);
    await assert.rejects(check(plaintext, time), { msgid: 'Cache.RepositoryIDNotUnique' });
  });
});

describe('destroySecurityFolder()', () => {
  it('forgets the one repository', async () => {
    const { ctx, repository, check } = setup();
    await check();
    destroySecurityFolder(ctx, repository.idHex);
    assert.ok(!new SecurityManager(ctx, repository).known());
    writeFileSync(join(base, 'other'), '');
  });
});
