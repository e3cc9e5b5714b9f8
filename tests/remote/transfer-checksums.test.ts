/** Checksums that a client sends along with what it puts: verified before anything is stored, and kept. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GeneralError, IntegrityError } from '../../src/errors.ts';
import type { MsgpackMap, MsgpackValue } from '../../src/msgpack/value.ts';
import { CHECKSUM_ALGORITHM } from '../../src/remote/rpc-methods.ts';
import { openRepository } from '../../src/repository/open-repository.ts';
import type { RepositoryCheckResult } from '../../src/repository/check-result.ts';
import { quoteShellWord } from '../../src/util/shell-quote.ts';
import { toHex } from '../../src/util/bytes.ts';
import { strongChecksum } from '../../src/util/strong-checksum.ts';
import { dataOf, idOf, testContext } from '../repository/fakes.ts';
import { RemotePlace } from './remote-place.ts';
import { serveHere, VERSION } from './test-client.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-checksums-'));
const place = new RemotePlace();
after(() => {
  rmSync(scratch, { recursive: true });
  place[Symbol.dispose]();
});

const script = fileURLToPath(new URL('corrupting-ssh.ts', import.meta.url));
const CORRUPTING = { rsh: `${quoteShellWord(process.execPath)} ${quoteShellWord(script)}` };

const checksumFiles = (path: string) =>
  readdirSync(join(path, 'data/0')).filter((name) => name.endsWith('.sums'));

async function checkHere(path: string): Promise<RepositoryCheckResult> {
  await using repository = await openRepository(testContext(), path, { exclusive: true });
  return repository.check({ checksums: true });
}

let count = 0;
async function served(clientData: MsgpackValue = { ...VERSION, checksums: CHECKSUM_ALGORITHM }) {
  const path = join(scratch, String(count++));
  const server = serveHere(testContext(scratch));
  const answer = await server.client.call('negotiate', { client_data: clientData });
  const open = { path, create: true, lock_wait: 1, lock: true, exclusive: true, append_only: false };
  await server.client.call('open', open);
  return { ...server, path, answer: answer as MsgpackMap };
}

describe('a server', () => {
  it('says that it knows checksums to clients that know them, and to no others', async () => {
    for (const [said, knows] of [
      [{ ...VERSION, checksums: CHECKSUM_ALGORITHM }, true],
      [{ ...VERSION, checksums: 'another' }, false],
      [{ ...VERSION, checksums: 1 }, false],
      [VERSION, false],
    ] as const) {
      const { answer, wire } = await served(said);
      assert.deepEqual([...answer.keys()], knows ? ['server_version', 'checksums'] : ['server_version']);
      wire.hangUp();
    }
  });

  it('stores what has the checksum that came with it, and keeps that', async () => {
    const { client, wire, ended, path } = await served();
    for (let i = 0; i < 3; i++) {
      await client.call('put', { id: idOf(i), data: dataOf(i), checksum: strongChecksum(dataOf(i)) });
    }
    await client.call('put', { id: idOf(3), data: dataOf(3), checksum: null });
    await client.call('commit', {});
    assert.equal(await client.call('check', { checksums: true }), true);
    wire.hangUp();
    assert.equal(await ended, undefined);
    const { ok, checksums } = await checkHere(path);
    assert.equal(ok, true);
    assert.deepEqual(checksums, { objects: 4, verified: 3, changed: 0, uncovered: 1 });
  });

  it('refuses what has not, stores nothing of it, and goes on', async () => {
    const { client, wire, path } = await served();
    const error = await client.fail('put', {
      id: idOf(1),
      data: dataOf(1),
      checksum: strongChecksum(dataOf(2)),
    });
    assert.equal(error.className, 'IntegrityError');
    assert.match(
      error.args![0] as string,
      new RegExp(`object ${toHex(idOf(1))} did not reach the server as it was`),
    );
    assert.equal(await client.call('__len__'), 0);
    assert.equal((await client.fail('get', { id: idOf(1) })).className, 'ObjectNotFound');
    assert.deepEqual(readdirSync(join(path, 'data')), []);
    await client.call('put', { id: idOf(1), data: dataOf(1), checksum: strongChecksum(dataOf(1)) });
    await client.call('commit', {});
    assert.deepEqual(await client.call('get', { id: idOf(1) }), dataOf(1));
    wire.hangUp();
  });

  const wrong: [string, MsgpackValue][] = [
    ['too short', new Uint8Array(15)],
    ['too long', new Uint8Array(17)],
    ['a number', 5],
    ['a list', [1]],
  ];
  for (const [what, checksum] of wrong) {
    it(`refuses a checksum that is ${what}`, async () => {
      const { client, wire } = await served();
      const { className } = await client.fail('put', { id: idOf(1), data: dataOf(1), checksum });
      assert.equal(className, 'TypeError');
      wire.hangUp();
    });
  }

  it('does not take a check of checksums together with a repair', async () => {
    const { client, wire } = await served();
    await client.call('put', { id: idOf(1), data: dataOf(1) });
    await client.call('commit', {});
    assert.match((await client.fail('check', { repair: true, checksums: true })).short[0]!, /mend nothing/);
    wire.hangUp();
  });
});

describe('a client', () => {
  it('sends checksums to a server that keeps them, which finds nothing wrong', async () => {
    const path = place.newPath();
    await using repository = await place.create(path);
    for (let i = 0; i < 3; i++) await repository.put(idOf(i), dataOf(i));
    await repository.commit();
    assert.equal((await repository.check({ checksums: true })).ok, true);
    await repository.close();
    assert.deepEqual((await checkHere(path)).checksums, {
      objects: 3,
      verified: 3,
      changed: 0,
      uncovered: 0,
    });
  });

  it('is told of an object that changed on its way, and nothing of the transaction is there', async () => {
    const path = place.newPath();
    const first = await place.create(path);
    await first.put(idOf('first'), dataOf('first'));
    await first.commit();
    await first.close();
    const before = readdirSync(join(path, 'data/0'));
    place.env['CORRUPT'] = 'data';
    const repository = await place.open(path, CORRUPTING);
    const work = async () => {
      for (let i = 0; i < 4; i++) await repository.put(idOf(i), dataOf(i));
      await repository.commit();
    };
    await assert.rejects(work(), (error) => {
      assert.ok(error instanceof IntegrityError, String(error));
      const text = `object ${toHex(idOf(1))} did not reach the server as it was sent, and was not stored. Try again`;
      assert.ok(error.message.startsWith(`Data integrity error: ${text}`), error.message);
      return true;
    });
    await assert.rejects(repository.commit(), IntegrityError);
    await repository.close();
    assert.deepEqual(readdirSync(join(path, 'data/0')), before);
    const { ok, checksums } = await checkHere(path);
    assert.equal(ok, true);
    assert.deepEqual(checksums, { objects: 1, verified: 1, changed: 0, uncovered: 0 });
  });

  it('sends none to a server that does not say that it knows them, and does not ask it about them', async () => {
    const path = place.newPath();
    place.env['CORRUPT'] = 'old server';
    const repository = await place.create(path, CORRUPTING);
    await repository.put(idOf(1), dataOf(1));
    await repository.commit();
    await assert.rejects(repository.check({ checksums: true }), (error) => {
      return error instanceof GeneralError && /this server keeps no checksums/.test(error.message);
    });
    assert.equal((await repository.check()).ok, true);
    await repository.close();
    assert.deepEqual(checksumFiles(path), []);
  });
});
