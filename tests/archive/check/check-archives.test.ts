import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Archive } from '../../../src/archive/archive.ts';
import { checkArchives } from '../../../src/archive/check/check-archives.ts';
import { checkRepository, type CheckOptions, type CheckResult } from '../../../src/archive/check/check.ts';
import { openLocalRepository, type Session } from '../../../src/archive/session.ts';
import { initCrypto } from '../../../src/crypto/init-crypto.ts';
import { sha256 } from '../../../src/crypto/sha256.ts';
import { MANIFEST_ID } from '../../../src/repository/repository.ts';
import { toHex, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { noise } from '../../noise.ts';
import { Scratch } from '../scratch.ts';

async function twoArchives(encryption?: string): Promise<Scratch> {
  const scratch = new Scratch();
  await scratch.init(encryption);
  scratch.write('source/large', noise(60_000, 1));
  scratch.write('source/small', 'hello');
  await scratch.create('one');
  scratch.write('source/more', noise(5_000, 2));
  await scratch.create('two');
  return scratch;
}

async function check(
  scratch: Scratch,
  options: CheckOptions = {},
): Promise<CheckResult & { said: string[] }> {
  const ctx = scratch.context();
  await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  const result = await checkRepository(ctx, repository, options);
  return { ...result, said: ctx.reporter.logged };
}

async function change(scratch: Scratch, work: (session: Session) => Promise<void>): Promise<void> {
  await using session = await scratch.open();
  await work(session);
  await session.repository.commit({ compact: false });
}

async function chunkOf(session: Session, path: string): Promise<Uint8Array> {
  const archive = await Archive.open(session, 'one');
  for await (const item of archive.items()) {
    if (toUtf8Lossy(item.path) === path) return item.chunks![0]!.id;
  }
  throw new Error(`no ${path}`);
}

/** Everything in the repository, by id. */
async function contents(scratch: Scratch): Promise<Map<string, string>> {
  const ctx = scratch.context();
  await using repository = await openLocalRepository(ctx, scratch.location, {});
  const objects = new Map<string, string>();
  for (const id of await repository.list()) objects.set(toHex(id), toHex(await repository.get(id)));
  return objects;
}

function files(scratch: Scratch): Map<string, string> {
  const paths = globSync('repository/**/*', { cwd: scratch.path, withFileTypes: true });
  const found = paths.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
  return new Map(found.toSorted().map((path) => [path, readFileSync(path).toString('hex')]));
}

test('checkRepository() finds nothing wrong with what backups make', async () => {
  for (const encryption of ['repokey', 'keyfile-blake2', 'authenticated', 'none']) {
    using scratch = await twoArchives(encryption);
    const result = await check(scratch, { verifyData: true });
    assert.ok(result.ok, encryption);
    assert.ok(result.damage!.isEmpty);
  }
});

test('checkRepository() changes nothing without repair, and nothing in a plan', async () => {
  using scratch = await twoArchives();
  await change(scratch, async (session) => {
    await session.repository.delete(await chunkOf(session, 'source/large'));
    await session.repository.delete(MANIFEST_ID);
  });
  const before = files(scratch);
  for (const options of [{}, { verifyData: true }, { verifyData: true, repair: true, dryRun: true }]) {
    assert.equal((await check(scratch, options)).ok, false);
    assert.deepEqual(files(scratch), before);
  }
});

test('checkArchives() asks a repository for no change in a plan', async () => {
  using scratch = await twoArchives();
  await change(scratch, async (session) => {
    const id = await chunkOf(session, 'source/small');
    await session.repository.put(id, noise(50));
    await session.repository.delete(await chunkOf(session, 'source/large'));
    await session.repository.put(sha256(noise(3)), noise(50));
  });
  writeFileSync(scratch.join('repository/nonce'), 'garbage');
  const ctx = scratch.context();
  await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  const changes = ['put', 'delete', 'commit', 'commitNonceReservation', 'saveKey'];
  const readOnly = new Proxy(repository, {
    get(target, name) {
      assert.ok(!changes.includes(String(name)), String(name));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { ok, steps } = await checkArchives(ctx, readOnly, { repair: true, dryRun: true, verifyData: true });
  assert.equal(ok, false);
  assert.ok(steps!.deletedCount > 0 && steps!.archives.length === 2 && steps!.renewsNonces);
});

test('checkRepository() plans what a repair then does', async () => {
  using scratch = await twoArchives();
  await change(scratch, async (session) => {
    const { repository } = session;
    const damaged = await chunkOf(session, 'source/small');
    const sealed = await repository.get(damaged);
    sealed[sealed.length - 1]! ^= 1;
    await repository.put(damaged, sealed);
    await repository.delete(await chunkOf(session, 'source/large'));
    await repository.put(sha256(noise(3)), noise(50));
  });
  const plan = await check(scratch, { verifyData: true, repair: true, dryRun: true });
  const repair = await check(scratch, { verifyData: true, repair: true });
  assert.equal(repair.ok, true);
  assert.deepEqual(plan.archives!.steps, repair.archives!.steps);
  assert.deepEqual(
    repair.archives!.steps!.archives.map(({ name, action, zeroedFiles }) => ({ name, action, zeroedFiles })),
    ['one', 'two'].map((name) => ({ name, action: 'rewrite', zeroedFiles: 2 })),
  );
  assert.equal(repair.archives!.steps!.deletedCount, 2);
  assert.ok((await check(scratch, { verifyData: true })).ok);
});

test('checkRepository() says who needs what is damaged', async () => {
  using scratch = await twoArchives();
  await change(scratch, async (session) => session.repository.delete(await chunkOf(session, 'source/small')));
  const { damage } = await check(scratch);
  const [file, ...others] = [...damage!.files];
  assert.equal(others.length, 0);
  assert.equal(toUtf8Lossy(file!.path), 'source/small');
  assert.deepEqual(file!.archiveRanges, [[0, 1]]);
  assert.deepEqual(damage!.archiveNames, ['one', 'two']);
});

test('checkRepository() says who needs objects that the check of the files finds damaged', async () => {
  using scratch = await twoArchives();
  const [largest] = globSync('repository/data/0/*', { cwd: scratch.path })
    .map((path) => scratch.join(path))
    .toSorted((a, b) => readFileSync(b).length - readFileSync(a).length);
  const bytes = readFileSync(largest!);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(largest!, bytes);
  const { ok, archives, damage } = await check(scratch);
  assert.equal(ok, false);
  assert.equal(archives, undefined);
  assert.deepEqual(
    [...damage!.files].map(({ path }) => toUtf8Lossy(path)),
    ['source/large'],
  );
});

test('checkRepository() heals files when their contents are there again', async () => {
  using scratch = await twoArchives();
  await change(scratch, async (session) => session.repository.delete(await chunkOf(session, 'source/large')));
  await check(scratch, { repair: true });
  assert.deepEqual((await scratch.contents('one')).get('source/large'), Buffer.alloc(60_000));
  const broken = await check(scratch);
  assert.ok(broken.ok);
  assert.deepEqual(
    [...broken.damage!.files].map(({ onlyReplaced }) => onlyReplaced),
    [true],
  );
  rmSync(scratch.join('.cache'), { recursive: true });
  await scratch.create('three');
  const { archives } = await check(scratch, { repair: true });
  assert.deepEqual(
    archives!.steps!.archives.map(({ healedFiles }) => healedFiles),
    [1, 1],
  );
  assert.deepEqual(new Uint8Array((await scratch.contents('one')).get('source/large')!), noise(60_000, 1));
  assert.ok((await scratch.items('one')).every((item) => item.chunksHealthy === undefined));
});

test('checkRepository() leaves archives alone that need no change', async () => {
  using scratch = await twoArchives();
  await change(scratch, async (session) => {
    await session.repository.delete(await chunkOf(session, 'source/small'));
  });
  scratch.write('source/small', 'other');
  rmSync(scratch.join('.cache'), { recursive: true });
  await scratch.create('sound');
  const before = await idsOf(scratch);
  await check(scratch, { repair: true });
  const after = await idsOf(scratch);
  assert.equal(after.get('sound'), before.get('sound'));
  assert.notEqual(after.get('one'), before.get('one'));
});

test('checkRepository() makes a new list of archives that clients take for the newest', async () => {
  using scratch = await twoArchives();
  const nonces = await highestNonce(scratch);
  await change(scratch, async (session) => session.repository.delete(MANIFEST_ID));
  // The disk and the client have forgotten which nonces are used.
  rmSync(scratch.join('repository/nonce'));
  for (const path of globSync('.config/borg/security/*/nonce', { cwd: scratch.path }))
    rmSync(scratch.join(path));
  const ctx = { ...scratch.context(), nowNs: () => 0n };
  {
    await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
    assert.ok((await checkRepository(ctx, repository, { repair: true })).ok);
  }
  assert.deepEqual((await scratch.paths('one')).toSorted(), ['source', 'source/large', 'source/small']);
  await using session = await scratch.open();
  assert.ok(session.manifest.tamVerified);
  const manifest = await session.repository.get(MANIFEST_ID);
  assert.ok(nonceOf(manifest) >= nonces, 'a nonce is used again');
});

test('checkRepository() is not misled by an object of another kind of key', async () => {
  using scratch = await twoArchives();
  await initCrypto();
  await change(scratch, async (session) => {
    // The first of all, as whoever can write to the repository may choose; as in a repository without encryption.
    for (const plain of [Uint8Array.of(2, 0, 0, 1), Uint8Array.of(2)]) {
      await session.repository.put(MANIFEST_ID, plain);
    }
  });
  rmSync(scratch.join('.config'), { recursive: true });
  const { archives } = await check(scratch, { repair: true, verifyData: true });
  assert.equal(archives!.steps!.deletedCount, 1);
  assert.equal(archives!.steps!.foundArchives!.length, 2);
});

test('checkRepository() replaces a damaged mark of nonces, far behind those that are known', async () => {
  using scratch = await twoArchives();
  const nonces = await highestNonce(scratch);
  writeFileSync(scratch.join('repository/nonce'), 'garbage');
  assert.equal((await check(scratch)).ok, false);
  const { archives } = await check(scratch, { repair: true });
  assert.equal(archives!.steps!.renewsNonces, true);
  assert.ok(BigInt(`0x${readFileSync(scratch.join('repository/nonce'), 'latin1')}`) > nonces + 2n ** 40n);
  assert.ok((await check(scratch)).ok);
  await scratch.create('three');
});

test('checkArchives() repairs nothing without the secrets of the key', async () => {
  using scratch = await twoArchives('authenticated');
  const ctx = scratch.context({ env: { BORG_WORKAROUNDS: 'authenticated_no_key' } });
  await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  await assert.rejects(checkArchives(ctx, repository, { repair: true }), /needs the secrets/);
});

test('checkRepository() writes a repair as one transaction, which can be taken back', async () => {
  using scratch = await twoArchives();
  await change(scratch, async (session) => session.repository.delete(await chunkOf(session, 'source/large')));
  const before = await contents(scratch);
  const kept = new Set(globSync('repository/data/0/*', { cwd: scratch.path }));
  await check(scratch, { repair: true });
  assert.notDeepEqual(await contents(scratch), before);
  for (const path of globSync('repository/data/0/*', { cwd: scratch.path })) {
    if (!kept.has(path)) rmSync(scratch.join(path));
  }
  for (const path of globSync('repository/{index,hints,integrity}.*', { cwd: scratch.path }))
    rmSync(scratch.join(path));
  assert.deepEqual(await contents(scratch), before);
});

async function idsOf(scratch: Scratch): Promise<Map<string, string>> {
  await using session = await scratch.open();
  return new Map([...session.manifest.archives].map(([name, { id }]) => [name, toHex(id)]));
}

async function highestNonce(scratch: Scratch): Promise<bigint> {
  const objects = [...(await contents(scratch)).values()].map((hex) => Buffer.from(hex, 'hex'));
  return objects.map(nonceOf).reduce((a, b) => (a > b ? a : b));
}

function nonceOf(sealed: Uint8Array): bigint {
  return Buffer.from(sealed).readBigUInt64BE(33);
}
