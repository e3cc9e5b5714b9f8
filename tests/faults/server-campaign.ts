/**
 * Clients that mean harm, or are broken, at a server: each connection ends by itself or with an error of its own, nothing
 * outside the restriction is touched, the lock is given back, and the repository stays whole.
 */
import assert from 'node:assert/strict';
import {
  ConnectionClosed,
  NotLocked,
  RepositoryDoesNotExist,
  UnexpectedRPCDataFormatFromClient,
} from '../../src/errors.ts';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import { RepositoryServer, type Repositories } from '../../src/remote/repository-server.ts';
import { decodeResponse, RESPONSE_LIMITS } from '../../src/remote/rpc-message.ts';
import type { RpcWire } from '../../src/remote/rpc-wire.ts';
import { ServedPaths } from '../../src/remote/served-paths.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import { seededRandom, type Random } from '../random.ts';
import { dataOf, idOf, testContext } from '../repository/fakes.ts';
import { Tally } from './campaign.ts';
import type { Campaign, CampaignResult } from './campaign.ts';
import { DAMAGE_KINDS, hostileStream, REPOSITORY_PATH, type DamageKind } from './hostile-requests.ts';

const LONGEST_MS = 10_000;
const OBJECTS = 3;
/** Those whose success changes what is committed. */
const COMMITTING: ReadonlySet<string> = new Set(['commit', 'destroy', 'check', 'open']);

export const serverCampaign: Campaign = {
  name: 'server',
  title: 'hostile and broken clients at a server',
  usualCases: 2000,
  async run({ seed, cases, caseId }): Promise<CampaignResult> {
    const tally = new Tally('server', seed);
    const model = await makeModel();
    for (let n = 0; n < cases; n++) {
      const kind = DAMAGE_KINDS[n % DAMAGE_KINDS.length]!;
      const id = `${kind}/${n}`;
      if (caseId !== undefined && caseId !== id) continue;
      await tally.try(id, kind, () => tryConnection(model, kind, seededRandom(seed + n)));
    }
    return tally.result;
  },
};

async function makeModel(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const repository = await createRepositoryIn(testContext(), store);
  for (let n = 0; n < OBJECTS; n++) await repository.put(idOf(n), dataOf(n));
  await repository.commit();
  await repository.close();
  return store;
}

async function tryConnection(model: MemoryStore, kind: DamageKind, random: Random): Promise<void> {
  const store = model.afterCrash(KEEP_UNSYNCED);
  const context = testContext('/srv/cwd');
  const { bytes, ids, methods } = hostileStream(kind, random);
  const output: Uint8Array[] = [];
  const opened: string[] = [];
  const wire: RpcWire = {
    pieces: () => inPieces(bytes, random),
    write: async (part) => void output.push(part),
    isAbandoned: () => false,
    close() {},
  };
  const paths = new ServedPaths(context, { paths: ['/srv'], repositories: [] });
  const server = new RepositoryServer(context, {
    wire,
    paths,
    appendOnly: random.next() < 0.2,
    repositories: repositoriesIn(store, opened),
  });
  const error = await inTime(server.serve());
  if (error !== undefined) {
    const isOwn = error instanceof UnexpectedRPCDataFormatFromClient || error instanceof ConnectionClosed;
    // Whoever breaks the lock that the same connection holds is told so.
    assert.ok(isOwn || error instanceof NotLocked, error as Error);
    assert.ok(ids === undefined || error instanceof NotLocked, 'sound messages were refused');
  }
  const outside = opened.filter((path) => path !== '/srv' && !path.startsWith('/srv/'));
  assert.deepEqual(outside, []);
  const answered = answersIn(output);
  if (ids !== undefined) assert.deepEqual(answered, ids);
  await assertWhole(store, ids !== undefined && !methods.some((method) => COMMITTING.has(method)));
}

/** The store stands for what is at the one path. */
function repositoriesIn(store: MemoryStore, opened: string[]): Repositories {
  const place = (path: string) => {
    opened.push(path);
    return path === REPOSITORY_PATH ? store : new MemoryStore();
  };
  return {
    open: (context, path, options) => {
      if (place(path) !== store) throw new RepositoryDoesNotExist([path]);
      return openRepositoryIn(context, store, options);
    },
    create: (context, path, options) => createRepositoryIn(context, place(path), options),
  };
}

async function* inPieces(bytes: Uint8Array, random: Random): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const sizeBytes = random.next() < 0.5 ? 1 + random.integer(30) : 65_536;
    yield bytes.slice(at, at + sizeBytes);
    at += sizeBytes;
  }
}

/** What it ends with. */
async function inTime(work: Promise<void>): Promise<unknown> {
  const late = Promise.withResolvers<unknown>();
  const timer = setTimeout(() => late.resolve(new Error(`no end after ${LONGEST_MS} ms`)), LONGEST_MS);
  const ended = work.then(
    () => undefined,
    (error: unknown) => error ?? new Error('nothing was thrown'),
  );
  try {
    return await Promise.race([ended, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The numbers of the answers; a connection on which nothing was opened ends in a line of text. */
function answersIn(output: readonly Uint8Array[]): number[] {
  const unpacker = new Unpacker(RESPONSE_LIMITS);
  const ids: number[] = [];
  for (const part of output) {
    if (part[0] === 0x42) break;
    unpacker.feed(part);
    for (const value of unpacker) ids.push(decodeResponse(value).id);
  }
  return ids;
}

async function assertWhole(store: MemoryStore, isUnchanged: boolean): Promise<void> {
  if (store.stat('') === undefined) return;
  assert.equal(store.stat('lock.exclusive'), undefined, 'the lock is still there');
  if (store.stat('config') === undefined) return;
  const repository = await openRepositoryIn(testContext(), store, { exclusive: true, lockWaitSeconds: 0 });
  try {
    if (isUnchanged) assert.equal(await repository.count(), OBJECTS);
    for (const id of await repository.list()) await repository.get(id);
    const { ok } = await repository.check();
    assert.ok(ok || (await repository.count()) === 0, 'the repository is damaged');
  } finally {
    await repository.close();
  }
}
