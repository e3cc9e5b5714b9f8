/**
 * Errors of the file system at each call that a command makes: on the repository, the cache, the key, the security
 * folder. The command says what went wrong or gets through; what was committed stays, and the next command works.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { breakCacheLock } from '../../src/archive/cache/local-cache.ts';
import { createLocalRepository } from '../../src/archive/init-repository.ts';
import { openLocalRepository } from '../../src/archive/session.ts';
import { describeError } from '../../src/cli/output/error-text.ts';
import { breakLock } from '../../src/repository/open-repository.ts';
import { checkReferences } from '../archive/cache/reference-model.ts';
import { Scratch } from '../archive/scratch.ts';
import { seededRandom } from '../random.ts';
import { sample, Tally } from './campaign.ts';
import type { Campaign, CampaignOptions, CampaignResult } from './campaign.ts';
import { callsOf, FAULT_KINDS, type FaultKind, withFault } from './failing-fs.ts';
import * as scenarios from './scenarios.ts';
import type { ScenarioName, Stage } from './scenarios.ts';

export const errorsCampaign: Campaign = {
  name: 'errors',
  title: 'full disks, disk errors, short writes and reads, at each call',
  usualCases: 20,
  run,
};

interface Case {
  readonly kind: FaultKind;
  readonly at: number;
}

async function run({ seed, cases, caseId }: CampaignOptions): Promise<CampaignResult> {
  const tally = new Tally('errors', seed);
  const random = seededRandom(seed);
  const share = Math.ceil(cases / scenarios.SCENARIO_NAMES.length);
  for (const name of scenarios.SCENARIO_NAMES) {
    if (caseId !== undefined && !caseId.startsWith(`${name}/`)) continue;
    using model = new Scratch();
    await scenarios.prepareStage(stageIn(model), name);
    using peaceful = copyOf(model);
    const stage = stageIn(peaceful);
    const record = await withFault(peaceful.path, undefined, () => scenarios.scenario(name).run(stage));
    const outcome = { before: await archivesIn(model, name), after: await archivesIn(peaceful) };
    const all = FAULT_KINDS.flatMap((kind) => callsOf(record, kind).map((_, at): Case => ({ kind, at })));
    const [, kind, at] = caseId?.split('/') ?? [];
    const wanted =
      caseId === undefined ? sample(all, share, random) : [{ kind: kind as FaultKind, at: Number(at) }];
    for (const fault of wanted) {
      await tally.try(`${name}/${fault.kind}/${fault.at}`, `${fault.kind} in ${name}`, () =>
        tryFault(model, name, fault, outcome),
      );
    }
  }
  return tally.result;
}

function stageIn(scratch: Scratch): Stage {
  return { scratch, ctx: scratch.context(), open: openLocalRepository, create: createLocalRepository };
}

function copyOf(model: Scratch): Scratch {
  const copy = new Scratch();
  // With times to the nanosecond, which Node's own copy cuts off.
  execFileSync('cp', ['-a', `${model.path}/.`, copy.path]);
  return copy;
}

async function archivesIn(scratch: Scratch, name?: ScenarioName): Promise<string[]> {
  if (name === 'init') return [];
  return scenarios.inSomeSession(
    stageIn(scratch),
    (session) => Promise.resolve([...session.manifest.archives.keys()]),
    false,
  );
}

async function tryFault(
  model: Scratch,
  name: ScenarioName,
  fault: Case,
  outcome: { before: string[]; after: string[] },
): Promise<void> {
  using scratch = copyOf(model);
  const stage = stageIn(scratch);
  let failure: unknown;
  const record = await withFault(scratch.path, fault, () =>
    scenarios
      .scenario(name)
      .run(stage)
      .catch((error: unknown) => {
        failure = error ?? new Error('nothing was thrown');
      }),
  );
  const where = `${fault.kind} at ${fault.at}: ${record.failed}`;
  if (failure !== undefined) {
    const { internal, message } = await describeError(failure);
    assert.ok(!internal, `${where}: ${message}`);
    assert.ok(!fault.kind.startsWith('short'), `${where}: ${message}`);
  }
  // The lock's owner lives on here, where a command would have ended.
  if (/\block\./.test(record.failed ?? '')) await unlock(scratch);
  if (name === 'init' && failure !== undefined) return await assertCanBeMadeAgain(scratch, where);
  const trees = scenarios.treeDigests();
  const allowed = failure === undefined ? [outcome.after] : [outcome.before, outcome.after];
  await scenarios.inSomeSession(
    stage,
    async (session) => {
      const found = await scenarios.assertWhole(session, trees);
      // What an interrupted recreate leaves is said, and harms nobody.
      const archives = found.filter((each) => !each.endsWith('.recreate'));
      assert.ok(
        allowed.some((names) => String(names.toSorted()) === String(archives.toSorted())),
        `${where}: ${archives.join(' ')}`,
      );
      await checkReferences(session, where, { orphans: true });
      await scenarios.create(session, 'after', 'three');
    },
    false,
  );
  await scenarios.inSomeSession(stage, async (session) => {
    assert.ok((await scenarios.assertWhole(session, trees)).includes('after'), where);
    await checkReferences(session, where, { orphans: true });
  });
}

async function unlock(scratch: Scratch): Promise<void> {
  const { env } = scratch.context();
  for (const id of globSync('*/', { cwd: join(env['BORG_BASE_DIR']!, '.cache/borg') })) {
    breakCacheLock(scratch.context(), id.replace('/', ''));
  }
  // Where the repository is not finished there is nothing to unlock.
  await breakLock(scratch.context(), scratch.location.path).catch(() => {});
}

/** The rest of a repository that was not finished is no repository, or an empty one; elsewhere a new one is made. */
async function assertCanBeMadeAgain(scratch: Scratch, where: string): Promise<void> {
  const trees = scenarios.treeDigests();
  execFileSync('rm', ['-rf', join(scratch.path, 'repository')]);
  await scenarios.scenario('init').run(stageIn(scratch));
  await scenarios.inSomeSession(
    stageIn(scratch),
    async (session) => {
      await scenarios.create(session, 'after', 'three');
      assert.deepEqual(await scenarios.assertWhole(session, trees), ['after'], where);
    },
    false,
  );
}
