/** Power failures at every point of each command: see power-failure.ts. */
import assert from 'node:assert/strict';
import type { LockOwner } from '../../src/format/lock-roster.ts';
import { checkRepository } from '../../src/archive/check/check.ts';
import { PassphraseWrong } from '../../src/errors.ts';
import { envelopeNonce, envelopeNonceBlocks, ENVELOPE_OVERHEAD_BYTES } from '../../src/crypto/envelope.ts';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { Scratch } from '../archive/scratch.ts';
import { seededRandom } from '../random.ts';
import { identity } from '../repository/fakes.ts';
import type { Campaign, CampaignOptions, CampaignResult } from './campaign.ts';
import { sample, Tally } from './campaign.ts';
import {
  allPoints,
  assertCommitted,
  contentsOf,
  crashes,
  POLICY_NAMES,
  recordHistory,
  recordStates,
  reopen,
  type Crash,
  type History,
  type PolicyName,
} from './power-failure.ts';
import * as scenarios from './scenarios.ts';
import type { ScenarioName, Stage } from './scenarios.ts';

/** One in so many is also opened with the key, and every archive restored. */
const RESTORE_EVERY = 12;
const HEX_ID = 64;

export const powerCampaign: Campaign = {
  name: 'power',
  title: 'power failures, at each change of the repository’s files',
  usualCases: 90,
  run: (options) => run(options),
};

/** With `forget`, changes that the disk forgets to do: the campaign must notice. */
export async function run(
  { seed, cases, caseId }: CampaignOptions,
  forget: (kind: string) => boolean = () => false,
): Promise<CampaignResult> {
  const tally = new Tally('power', seed);
  const random = seededRandom(seed);
  const share = Math.ceil(cases / scenarios.SCENARIO_NAMES.length);
  for (const name of scenarios.SCENARIO_NAMES) {
    if (caseId !== undefined && !caseId.startsWith(`${name}/`)) continue;
    using scratch = new Scratch();
    const recorded = await record(scratch, name);
    const history = {
      ...recorded,
      changes: recorded.changes.map((change) => (forget(change.kind) ? IDLE : change)),
    };
    const all = allPoints(history).flatMap((point) => POLICY_NAMES.map((policy) => ({ point, policy })));
    const wanted = caseId === undefined ? sample(all, share, random) : [crashOf(caseId)];
    let number = 0;
    for (const { crash, store } of crashes(history, wanted)) {
      const restores = caseId !== undefined || number++ % RESTORE_EVERY === 0;
      await tally.try(`${name}/${crash.policy}/${crash.point}`, name, () =>
        check(scratch, history, crash, store, restores),
      );
    }
  }
  return tally.result;
}

const IDLE = { kind: 'sync-folder', path: '' } as const;

function crashOf(caseId: string): Crash {
  const [, policy, point] = caseId.split('/');
  return { policy: policy as PolicyName, point: point! };
}

async function record(scratch: Scratch, name: ScenarioName): Promise<History> {
  const base = new MemoryStore();
  await scenarios.prepareStage(stageOn(scratch, base), name);
  return recordHistory(base, async (store, reached) => {
    const stage = stageOn(scratch, store, async (repository) => {
      // A repository that was just made is a state, too.
      if (name === 'init') await reached(repository);
      recordStates(repository, reached);
    });
    await scenarios.scenario(name).run(stage);
  });
}

function stageOn(
  scratch: Scratch,
  store: Store,
  onOpen: (repository: SegmentRepository) => Promise<void> = () => Promise.resolve(),
): Stage {
  const { owner } = identity(3);
  const self = { owner, isAlive: ({ pid }: LockOwner) => pid === owner.pid };
  const opened = async (repository: SegmentRepository): Promise<SegmentRepository> => {
    await onOpen(repository);
    return repository;
  };
  return {
    scratch,
    ctx: scratch.context(),
    open: async (ctx, _location, options) =>
      opened(await openRepositoryIn(ctx, store, { ...options, identity: self })),
    create: async (ctx, _location, options) =>
      opened(await createRepositoryIn(ctx, store, { ...options, identity: self })),
  };
}

async function check(
  scratch: Scratch,
  history: History,
  crash: Crash,
  store: MemoryStore,
  restores: boolean,
): Promise<void> {
  const copy = store.afterCrash(KEEP_UNSYNCED);
  const found = await assertCommitted(history, crash, store);
  const { contents } = history.states[found]!;
  if (!contents.has('key')) return;
  await assertNoncesReserved(copy);
  // Without its first commit it has no manifest yet.
  if (!restores || !contents.has('0'.repeat(HEX_ID))) return;
  await assertChecked(scratch, copy.afterCrash(KEEP_UNSYNCED));
  const stage = stageOn(scratch, copy);
  const trees = scenarios.treeDigests();
  const before = await scenarios.inSomeSession(stage, (session) => scenarios.assertWhole(session, trees));
  // Backups go on, too.
  await scenarios.inSomeSession(stage, (session) => scenarios.create(session, 'after', 'three'));
  const after = await scenarios.inSomeSession(stage, (session) => scenarios.assertWhole(session, trees));
  assert.deepEqual(after.toSorted(), [...before, 'after'].toSorted());
}

/** "check" finds nothing to complain of. */
async function assertChecked(scratch: Scratch, store: MemoryStore): Promise<void> {
  for (const passphrase of scenarios.PASSPHRASES) {
    const env = { BORG_BASE_DIR: scratch.join('checker'), BORG_PASSPHRASE: passphrase };
    const repository = await reopen(store, { exclusive: true });
    try {
      const { ok } = await checkRepository(scratch.context({ env }), repository, { verifyData: true });
      assert.ok(ok, 'the check of the repository');
      return;
    } catch (error) {
      if (!(error instanceof PassphraseWrong)) throw error;
    } finally {
      await repository.close();
    }
  }
  assert.fail('no passphrase opens the key');
}

/** A number below the mark may be in use: whoever comes next must not take it again. */
async function assertNoncesReserved(store: MemoryStore): Promise<void> {
  const repository = await reopen(store, { exclusive: true });
  try {
    const free = (await repository.getFreeNonce()) ?? 0n;
    for (const [id, hex] of await contentsOf(repository)) {
      if (id.length !== HEX_ID) continue;
      const sealed = Buffer.from(hex, 'hex');
      const end =
        envelopeNonce(sealed) + BigInt(envelopeNonceBlocks(sealed.length - ENVELOPE_OVERHEAD_BYTES));
      assert.ok(end <= free, `the object ${id} uses nonces up to ${end}, but only ${free} are reserved`);
    }
  } finally {
    await repository.close();
  }
}
