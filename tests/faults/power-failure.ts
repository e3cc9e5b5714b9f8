/**
 * Power failures at every point of what was done to a repository: before each change of its store, and in the middle of
 * each that writes bytes. What is found afterwards must be a state that was committed, and none from before one whose
 * commit was reported.
 */
import assert from 'node:assert/strict';
import { InvalidRepository, RepositoryDoesNotExist } from '../../src/errors.ts';
import type { LockOwner } from '../../src/format/lock-roster.ts';
import { openRepositoryIn, type StoreOptions } from '../../src/repository/open-repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import type { CrashPolicy } from '../../src/store/memory-node.ts';
import { KEEP_UNSYNCED, LOSE_UNSYNCED, type MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { toHex } from '../../src/util/bytes.ts';
import { seededRandom } from '../random.ts';
import { dataOf, idOf, identity, testContext } from '../repository/fakes.ts';
import { type Change, RecordingStore, Replay } from './recording-store.ts';

/** By id; the key and, where there is no repository, that. */
export type Contents = ReadonlyMap<string, string>;

const ABSENT: Contents = new Map([['repository', 'absent']]);

/** What was done to a repository, and the states that it went through. */
export interface History {
  readonly base: MemoryStore;
  readonly changes: readonly Change[];
  /** Each with the number of changes that were done when it was reported to be committed. */
  readonly states: readonly { readonly contents: Contents; readonly after: number }[];
}

export type PolicyName = keyof typeof POLICIES;

/** What a power failure does to what was not synced. */
export const POLICIES = {
  'loses all unsynced work': () => LOSE_UNSYNCED,
  'keeps all unsynced work': () => KEEP_UNSYNCED,
  'keeps some unsynced work': (seed: number): CrashPolicy => {
    const random = seededRandom(seed);
    return { chooseKept: (limit) => random.integer(limit + 1) };
  },
  'does unsynced work out of order': (seed: number): CrashPolicy => {
    const random = seededRandom(seed);
    return { chooseKept: (limit) => random.integer(limit + 1), keepsLater: () => random.next() < 0.5 };
  },
  'leaves zeros for unsynced bytes': (seed: number): CrashPolicy => {
    const random = seededRandom(seed);
    return { chooseKept: (limit) => random.integer(limit + 1), zeroFilled: () => true };
  },
  'leaves some blocks of unsynced bytes': (seed: number): CrashPolicy => {
    const random = seededRandom(seed);
    return {
      chooseKept: (limit) => (random.next() < 0.5 ? limit : random.integer(limit + 1)),
      keepsLater: () => random.next() < 0.5,
      keepsBlock: () => random.next() < 0.5,
    };
  },
} satisfies Record<string, (seed: number) => CrashPolicy>;

export const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];

/** Runs the work on a copy of `base`; it calls `reached` whenever a state is committed. */
export async function recordHistory(
  base: MemoryStore,
  work: (store: Store, reached: (repository: SegmentRepository) => Promise<void>) => Promise<void>,
): Promise<History> {
  const durable = base.afterCrash(KEEP_UNSYNCED);
  const store = new RecordingStore(durable.afterCrash(KEEP_UNSYNCED));
  const states = [{ contents: await contentsAt(durable.afterCrash(KEEP_UNSYNCED)), after: 0 }];
  await work(store, async (repository) => {
    const after = store.changes.length;
    states.push({ contents: await contentsOf(repository), after });
  });
  return { base: durable, changes: store.changes, states };
}

/** Has each commit, each new key, and each rollback of the repository recorded. */
export function recordStates(
  repository: SegmentRepository,
  reached: (repository: SegmentRepository) => Promise<void>,
): SegmentRepository {
  const commit = repository.commit.bind(repository);
  const saveKey = repository.saveKey.bind(repository);
  const changeLog = repository.changeLog.bind(repository);
  repository.changeLog = async (work) => {
    await changeLog(work);
    await reached(repository);
  };
  repository.commit = async (options) => {
    await commit(options);
    await reached(repository);
  };
  repository.saveKey = async (blob) => {
    await saveKey(blob);
    await reached(repository);
  };
  return repository;
}

export interface Crash {
  /** `57`: before the 57th change; `57+`: in the middle of it. */
  readonly point: string;
  readonly policy: PolicyName;
}

export function allPoints({ changes }: History): string[] {
  const points = changes.flatMap((change, number) =>
    'bytes' in change ? [`${number}`, `${number}+`] : [`${number}`],
  );
  return [...points, `${changes.length}`];
}

/** The store as each crash leaves it, in the order of the points. */
export function* crashes(
  history: History,
  wanted: readonly Crash[],
): Generator<{ crash: Crash; store: MemoryStore }> {
  const replay = new Replay(history.base, history.changes);
  for (const crash of wanted.toSorted((a, b) => orderOf(a) - orderOf(b))) {
    const number = Number.parseInt(crash.point, 10);
    replay.advanceTo(number);
    // The same bytes, whichever crashes come before.
    if (crash.point.endsWith('+')) replay.begin(seededRandom(number));
    yield { crash, store: replay.crash(POLICIES[crash.policy](number)) };
  }
}

function orderOf({ point }: Crash): number {
  return 2 * Number.parseInt(point, 10) + (point.endsWith('+') ? 1 : 0);
}

/** Opens as another process does, after the one that crashed. */
export async function reopen(store: Store, options: StoreOptions = {}): Promise<SegmentRepository> {
  const { owner } = identity(2);
  const survivor = { owner, isAlive: ({ pid }: LockOwner) => pid === owner.pid };
  return openRepositoryIn(testContext(), store, { ...options, identity: survivor });
}

export async function contentsOf(repository: SegmentRepository): Promise<Contents> {
  const contents = new Map([['key', await repository.loadKey()]]);
  for (const id of await repository.list()) contents.set(toHex(id), toHex(await repository.get(id)));
  return contents;
}

export function sameContents(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a].every(([id, data]) => b.get(id) === data);
}

async function contentsAt(store: Store): Promise<Contents> {
  let repository: SegmentRepository;
  try {
    repository = await reopen(store);
  } catch (error) {
    if (error instanceof InvalidRepository || error instanceof RepositoryDoesNotExist) return ABSENT;
    throw error;
  }
  try {
    return await contentsOf(repository);
  } finally {
    await repository.close();
  }
}

/**
 * Asserts that the crash left the last reported state or the next one, and that the repository goes on from there.
 * Gives the number of the state.
 */
export async function assertCommitted(
  history: History,
  { point }: Crash,
  store: MemoryStore,
): Promise<number> {
  const done = Number.parseInt(point, 10);
  const contents = await contentsAt(store);
  const reported = history.states.findLastIndex(({ after }) => after <= done);
  // States may be alike: then it is the later one.
  const found = history.states.findLastIndex(
    (state, number) => number <= reported + 1 && sameContents(state.contents, contents),
  );
  assert.ok(found >= 0, 'neither the old state nor the new');
  assert.ok(found >= reported, `state ${found} is found, but ${reported} was reported to be committed`);
  // Before its first commit nothing tells a new repository from one that has lost everything: it wants a check.
  if (contents !== ABSENT && contents.size > 1) await assertGoesOn(store, contents);
  return found;
}

/** Asserts that a transaction on what is found does what it should, compaction included. */
export async function assertGoesOn(store: MemoryStore, contents: Contents): Promise<void> {
  const writer = await reopen(store, { exclusive: true });
  const expected = new Map(contents);
  const [victim] = [...contents.keys()].filter((id) => id.length === 64);
  await writer.put(idOf('after'), dataOf('after'));
  expected.set(toHex(idOf('after')), toHex(dataOf('after')));
  if (victim !== undefined) {
    await writer.delete(Buffer.from(victim, 'hex'));
    expected.delete(victim);
  }
  await writer.commit({ compact: true, threshold: 0 });
  await writer.close();
  const again = await reopen(store.afterCrash());
  assert.deepEqual(await contentsOf(again), expected, 'what was committed after the crash');
  await again.close();
}
