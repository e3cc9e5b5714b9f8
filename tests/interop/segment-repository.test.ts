/** Repositories as such, without archives: what one program writes, the other reads, checks and respects. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createRepository } from '../../src/repository/create-repository.ts';
import { openRepository } from '../../src/repository/open-repository.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { dataOf, idOf, testContext } from '../repository/fakes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-interop-'));
after(() => rmSync(scratch, { recursive: true }));

function borg(...args: string[]): { status: number | null; output: string } {
  const command = process.env['ALCOVE_REFERENCE_BORG'];
  if (!command) throw new Error('set ALCOVE_REFERENCE_BORG to the command of a Borg 1.4');
  const env = {
    ...process.env,
    BORG_BASE_DIR: join(scratch, 'home'),
    BORG_HOST_ID: 'test-host',
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_EXIT_CODES: 'modern',
  };
  const result = spawnSync(command, args, { cwd: scratch, env, encoding: 'utf8' });
  return { status: result.status, output: result.stdout + result.stderr };
}

describe('a repository of ours', () => {
  it('passes borg check --repository-only after every kind of transaction', async () => {
    const path = join(scratch, 'ours');
    const repository = await createRepository(testContext(), path);
    const check = () => {
      const { status, output } = borg('check', '--repository-only', '--verbose', '--lock-wait', '9', path);
      assert.equal(status, 0, output);
      assert.match(output, /no problems found/);
    };
    await repository.put(MANIFEST_ID, dataOf('manifest'));
    for (let i = 0; i < 100; i++) await repository.put(idOf(i), dataOf(i, 100 * i));
    await repository.commit();
    await repository.close();
    check();
    const writer = await openRepository(testContext(), path, { exclusive: true });
    for (let i = 0; i < 100; i += 3) await writer.delete(idOf(i));
    for (let i = 1; i < 100; i += 3) await writer.put(idOf(i), dataOf(`new ${i}`));
    await writer.commit();
    await writer.close();
    check();
    const compacting = await openRepository(testContext(), path, { exclusive: true });
    await compacting.commit({ compact: true });
    await compacting.close();
    check();
  });

  it('keeps Borg out while it is written to, and is kept out by Borg', async () => {
    const path = join(scratch, 'locked');
    const repository = await createRepository(testContext(), path);
    await repository.put(idOf(1), dataOf(1));
    await repository.commit();
    const { status, output } = borg('check', '--repository-only', '--lock-wait', '0', path);
    assert.equal(status, 73, output);
    await repository.close();
    assert.equal(borg('check', '--repository-only', '--lock-wait', '0', path).status, 0);
    mkdirSync(join(path, 'lock.exclusive'));
    writeFileSync(join(path, `lock.exclusive/test-host.${process.ppid}-0`), '');
    await assert.rejects(openRepository(testContext(), path, { lockWaitSeconds: 0 }), {
      name: 'LockTimeout',
    });
    assert.equal(borg('break-lock', path).status, 0);
    await (await openRepository(testContext(), path)).close();
    assert.deepEqual(
      readdirSync(path).filter((name) => name.startsWith('lock')),
      [],
    );
  });
});

describe("a repository of Borg's", () => {
  it('is read, written to and compacted by us, and still sound for Borg', async () => {
    const path = join(scratch, 'theirs');
    assert.equal(borg('init', '--encryption', 'none', path).status, 0);
    writeFileSync(join(scratch, 'file'), dataOf('file', 5000));
    assert.equal(borg('create', `${path}::one`, 'file').status, 0);
    const repository = await openRepository(testContext(), path, { exclusive: true });
    assert.equal(await repository.count(), (await repository.scan()).length);
    for (const id of await repository.list()) assert.ok((await repository.get(id)).length > 0);
    const manifest = await repository.get(MANIFEST_ID);
    await repository.put(MANIFEST_ID, manifest);
    await repository.commit({ compact: true, threshold: 0 });
    await repository.close();
    const { status, output } = borg('check', '--verify-data', path);
    assert.equal(status, 0, output);
    assert.equal(borg('extract', '--dry-run', `${path}::one`).status, 0);
  });

  it('has an index denser than its own, and of another size, by us, and grows it', async () => {
    const path = join(scratch, 'dense');
    assert.equal(borg('init', '--encryption', 'none', path).status, 0);
    const writer = await openRepository(testContext(), path, { exclusive: true });
    for (let i = 0; i < ENTRIES; i++) await writer.put(idOf(i), Uint8Array.of(i));
    await writer.commit();
    await writer.close();
    const { buckets, entries } = indexHeader(path);
    assert.ok(buckets > BORGS_SIZE && entries / buckets > BORGS_LOAD, `${entries} in ${buckets} buckets`);
    const check = () => {
      const { status, output } = borg('check', '--repository-only', '--verbose', path);
      assert.equal(status, 0, output);
      assert.match(output, /no problems found/);
    };
    check();
    writeFileSync(join(scratch, 'object'), 'object');
    assert.equal(borg('debug', 'put-obj', path, idHex('new'), 'object').status, 0);
    const grown = indexHeader(path);
    assert.equal(grown.entries, entries + 1);
    assert.ok(grown.entries / grown.buckets < BORGS_LOAD, 'Borg has read it, and made it larger');
    check();
    const reader = await openRepository(testContext(), path);
    for (const name of [0, ENTRIES - 1, 'new']) assert.ok((await reader.get(idOf(name))).length > 0);
    await reader.close();
  });
});

/** More than three quarters of what the table has room for when it has come to this. */
const ENTRIES = 270_000;
const BORGS_SIZE = 262_147;
const BORGS_LOAD = 0.75;

const idHex = (name: string): string => Buffer.from(idOf(name)).toString('hex');

/** Source: Borg 1.4.5, _hashindex.c, HashHeader. */
function indexHeader(path: string): { entries: number; buckets: number } {
  const name = readdirSync(path).find((file) => file.startsWith('index.'))!;
  const header = readFileSync(join(path, name)).subarray(0, 16);
  return { entries: header.readInt32LE(8), buckets: header.readInt32LE(12) };
}
