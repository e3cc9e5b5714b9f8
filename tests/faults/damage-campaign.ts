/**
 * Damage at any byte of any file of a repository and of the client's folders. Reading gives what was backed up or an
 * error that says what is wrong, never other contents; where reading fails, "check" finds it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRepository } from '../../src/archive/check/check.ts';
import { createLocalRepository } from '../../src/archive/init-repository.ts';
import { openLocalRepository, type Session } from '../../src/archive/session.ts';
import { IntegrityError } from '../../src/errors.ts';
import { describeError } from '../../src/cli/output/error-text.ts';
import { checkReferences } from '../archive/cache/reference-model.ts';
import { Scratch } from '../archive/scratch.ts';
import { noise } from '../noise.ts';
import { seededRandom, type Random } from '../random.ts';
import { Tally } from './campaign.ts';
import type { Campaign, CampaignResult } from './campaign.ts';
import * as scenarios from './scenarios.ts';
import type { Stage } from './scenarios.ts';

/** Files by what they are; a home has a copy of the key in the repository's config only. */
const KINDS: Readonly<Record<string, string>> = {
  segment: 'repository/data/*/*',
  'repository config': 'repository/config',
  'repository README': 'repository/README',
  'repository index': 'repository/index.*',
  'repository hints': 'repository/hints.*',
  'repository integrity data': 'repository/integrity.*',
  'repository nonce': 'repository/nonce',
  'cache config': '.cache/borg/*/config',
  'chunks cache': '.cache/borg/*/chunks',
  'files cache': '.cache/borg/*/files',
  'archive index': '.cache/borg/*/chunks.archive.d/*',
  'other cache file': '.cache/borg/*/{README,pre12-meta}',
  'security folder': '.config/borg/security/*/*',
};

const DAMAGES: Readonly<Record<string, (bytes: Buffer, at: number, random: Random) => Buffer>> = {
  'a flipped bit': (bytes, at, random) => {
    bytes[at]! ^= 1 << random.integer(8);
    return bytes;
  },
  'a block of zeros': (bytes, at) => {
    const start = at - (at % 512);
    return bytes.fill(0, start, Math.min(bytes.length, start + 512));
  },
  garbage: (bytes, at, random) => {
    const end = Math.min(bytes.length, at + 1 + random.integer(200));
    bytes.set(noise(end - at, 1 + random.integer(2 ** 31)), at);
    return bytes;
  },
  'an end too early': (bytes, at) => bytes.subarray(0, at),
  'bytes behind the end': (bytes, at, random) =>
    Buffer.concat([bytes, noise(1 + (at % 300), 1 + random.integer(2 ** 31))]),
};

const NAMES_WHAT =
  /segment|object|chunk|manifest|key|cache|config|index|hints|archive|nonce|lock|repositor|passphrase|file|\//i;
/** These do not tell what is wrong: the program itself is. */
const NOT_SAID = /TypeError|RangeError|undefined|\[object/;

export const damageCampaign: Campaign = {
  name: 'damage',
  title: 'damaged files of the repository and of the client, given to the commands',
  usualCases: 20,
  async run({ seed, cases, caseId }): Promise<CampaignResult> {
    const tally = new Tally('damage', seed);
    using model = new Scratch();
    await scenarios.prepareStage(stageIn(model), 'delete');
    // Once as a client that finds a repository it does not know: it builds an index of each archive.
    execFileSync('rm', ['-r', join(model.path, '.cache')]);
    await scenarios.inSession(stageIn(model), async (session) => (await session.openCache()).close());
    await scenarios.inSession(stageIn(model), (session) => scenarios.create(session, 'three'));
    const kinds = Object.keys(KINDS);
    for (let number = 0; number < cases; number++) {
      const id = `${number}`;
      if (caseId !== undefined && id !== caseId) continue;
      const random = seededRandom(seed + number);
      const kind = kinds[number % kinds.length]!;
      await tally.try(id, kind, () => tryDamage(model, kind, random));
    }
    return tally.result;
  },
};

function stageIn(scratch: Scratch): Stage {
  return { scratch, ctx: scratch.context(), open: openLocalRepository, create: createLocalRepository };
}

async function tryDamage(model: Scratch, kind: string, random: Random): Promise<void> {
  using scratch = new Scratch();
  execFileSync('cp', ['-a', `${model.path}/.`, scratch.path]);
  const where = damageOne(scratch, kind, random);
  const stage = stageIn(scratch);
  const trees = scenarios.treeDigests();
  const readAll = async (session: Session): Promise<void> => {
    const names = await scenarios.assertWhole(session, trees);
    assert.deepEqual(names.toSorted(), ['one', 'three', 'two'], 'archives are missing');
  };
  const known = await outcomeOf(where, () => scenarios.inSomeSession(stage, readAll, false));
  const unknown = await outcomeOf(where, () => scenarios.inSomeSession(stage, readAll));
  const isSound = await outcomeOf(where, () => assertChecked(scratch));
  assert.ok(unknown === undefined || isSound !== undefined, `${where}: "check" does not find: ${unknown}`);
  assert.ok(
    known === undefined || unknown !== undefined || !kind.includes('repository'),
    `${where}: ${known}`,
  );
  const written = await outcomeOf(where, () =>
    scenarios.inSomeSession(
      stage,
      async (session) => {
        await scenarios.create(session, 'after', 'three');
      },
      false,
    ),
  );
  if (written !== undefined || unknown !== undefined) return;
  // What was written on top of damage that did not matter is whole, and counted right.
  await scenarios.inSomeSession(stage, async (session) => {
    assert.equal((await scenarios.assertWhole(session, trees)).length, 4, where);
  });
  await scenarios.inSomeSession(stage, (session) => checkReferences(session, where), false);
}

/** Damages one file of the kind; says which and how. */
function damageOne(scratch: Scratch, kind: string, random: Random): string {
  const files = globSync(KINDS[kind]!, { cwd: scratch.path }).filter((file) =>
    statSync(join(scratch.path, file)).isFile(),
  );
  assert.ok(files.length > 0, `no file of the kind ${kind}`);
  const file = files.toSorted()[random.integer(files.length)]!;
  const path = join(scratch.path, file);
  assert.ok(existsSync(path));
  const bytes = readFileSync(path);
  const names = Object.keys(DAMAGES);
  const name = names[random.integer(names.length)]!;
  const at = placeIn(bytes, random);
  writeFileSync(path, bytes.length === 0 ? noise(20) : DAMAGES[name]!(bytes, at, random));
  return `${file}, ${name} at ${at}`;
}

/** Any place, but mostly one that says something: tables are empty for the most part. */
function placeIn(bytes: Uint8Array, random: Random): number {
  const at = random.integer(Math.max(1, bytes.length));
  const next = bytes.subarray(at).findIndex((byte) => byte !== 0);
  return random.next() < 0.2 || next < 0 ? at : at + next;
}

/** Undefined where it went well; what was said where it did not, which must be of use. */
async function outcomeOf(where: string, work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw new Error(where, { cause: error });
    const { internal, message } = await describeError(error);
    if (internal || NOT_SAID.test(message) || !NAMES_WHAT.test(message)) {
      throw new Error(`${where}: ${message}`, { cause: error });
    }
    return message;
  }
}

async function assertChecked(scratch: Scratch): Promise<void> {
  const ctx = scratch.context({ env: { BORG_BASE_DIR: join(scratch.path, 'checker') } });
  const repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  try {
    const { ok } = await checkRepository(ctx, repository, { verifyData: true });
    if (!ok) throw new IntegrityError(['the repository is damaged']);
  } finally {
    await repository.close();
  }
}
