/** What a server can try, and what the client makes of it. The attacks are those of evil-server.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BorgError, ConnectionClosed, UnexpectedRPCDataFormatFromServer } from '../../src/errors.ts';
import type { RemoteRepository } from '../../src/remote/remote-repository.ts';
import { ServerError } from '../../src/remote/rpc-error.ts';
import { dataOf, idOf } from '../repository/fakes.ts';
import { quoteShellWord } from '../../src/util/shell-quote.ts';
import { RemotePlace } from './remote-place.ts';

const evil = fileURLToPath(new URL('evil-server.ts', import.meta.url));
const rsh = `${quoteShellWord(process.execPath)} ${quoteShellWord(evil)}`;
const place = new RemotePlace();
const path = place.newPath();
after(() => place[Symbol.dispose]());

before(async () => {
  await using repository = await place.create(path);
  for (let number = 0; number < 20; number++) await repository.put(idOf(number), dataOf(number));
  await repository.commit();
});

async function attacked(attack: string, use: (repository: RemoteRepository) => Promise<unknown>) {
  place.env['EVIL'] = attack;
  await using repository = await place.open(path, { rsh });
  await use(repository);
  return repository;
}

async function readAll(repository: RemoteRepository): Promise<void> {
  const ids = Array.from({ length: 20 }, (_, number) => idOf(number));
  let next = 0;
  for await (const data of repository.getMany(ids)) assert.deepEqual(data, dataOf(next++));
}

type Use = (repository: RemoteRepository) => Promise<unknown>;

const get: Use = (repository) => repository.get(idOf(1));

/** Each ends the connection: nothing that such a server says counts any more. */
const caught: readonly (readonly [attack: string, use: Use])[] = [
  ['huge object', get],
  ['object that is a number', get],
  ['object that is a number', readAll],
  ['id that is too short', get],
  ['ids that are none', (repository) => repository.list(10)],
  ['more ids than asked for', (repository) => repository.list(1000)],
  ['the same ids for ever', (repository) => repository.list()],
  ['negative count', (repository) => repository.count()],
  ['negative nonce', (repository) => repository.getFreeNonce()],
  ['key that is a list', (repository) => repository.loadKey()],
  ['check that is a text', (repository) => repository.check()],
  ['unknown number', get],
  ['number that is a text', get],
  ['answer given twice', (repository) => readAll(repository)],
  ['answers in another order', readAll],
  ['endless object', get],
];

describe('RemoteRepository and a server that lies', () => {
  it('reads what is there where the server does not lie', async () => {
    await attacked('nothing', readAll);
  });

  for (const [attack, use] of caught) {
    it(`refuses: ${attack}`, async () => {
      await assert.rejects(
        attacked(attack, async (repository) => {
          await assert.rejects(use(repository), UnexpectedRPCDataFormatFromServer);
          await assert.rejects(repository.count(), UnexpectedRPCDataFormatFromServer);
          throw new UnexpectedRPCDataFormatFromServer(['as expected']);
        }),
        UnexpectedRPCDataFormatFromServer,
      );
    });
  }

  it('refuses: a version that is a text', async () => {
    await assert.rejects(attacked('version that is a text', get), /another protocol, of version one/);
  });

  it('takes a connection that ends for one that has ended', async () => {
    await assert.rejects(attacked('nothing any more', get), ConnectionClosed);
    await assert.rejects(attacked('nothing any more', readAll), ConnectionClosed);
  });

  it('cuts the lines of a log, and what a terminal would obey', async () => {
    const lines: string[] = [];
    place.env['EVIL'] = 'endless log line';
    const relayLine = (text: string) => void lines.push(text);
    await using repository = await place.open(path, { rsh }, { relayLine });
    assert.deepEqual(await repository.get(idOf(1)), dataOf(1));
    await repository.close();
    assert.deepEqual(lines, [`Remote: ${'x'.repeat(65_536)}`, 'Remote: \u{FFFD}[31mred']);
  });

  it('cuts the texts of an error, and what a terminal would obey', async () => {
    place.env['EVIL'] = 'hostile error';
    await using repository = await place.open(path, { rsh });
    await assert.rejects(repository.get(idOf(1)), (error) => {
      assert.ok(error instanceof ServerError && error instanceof BorgError);
      assert.ok(error.message.length < 3000 && error.msgid.length < 3000);
      assert.doesNotMatch(`${error.message}${error.msgid}${(error.cause as Error).stack}`, /[^\P{Cc}\n\t]/u);
      return true;
    });
  });
});
