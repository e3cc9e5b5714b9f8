/** What is done to a repository while something goes wrong: one scenario for each command that changes it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Archive } from '../../src/archive/archive.ts';
import { createArchive } from '../../src/archive/create/create.ts';
import { deleteArchives } from '../../src/archive/delete.ts';
import { repositoryHistory } from '../../src/archive/history/repository-history.ts';
import { planRollback } from '../../src/archive/history/roll-back.ts';
import { initRepository, type RepositoryCreator } from '../../src/archive/init-repository.ts';
import { PatternMatcher } from '../../src/archive/patterns/pattern-matcher.ts';
import { pruneArchives } from '../../src/archive/prune.ts';
import { recreateArchives } from '../../src/archive/recreate/recreate.ts';
import { renameArchive } from '../../src/archive/rename.ts';
import { openSession, type RepositoryOpener, type Session } from '../../src/archive/session.ts';
import { parseCompression } from '../../src/compress/compression-spec.ts';
import { GeneralError, PassphraseWrong } from '../../src/errors.ts';
import { changePassphrase, saveTamRequired } from '../../src/keys/change-passphrase.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { changeSetting } from '../../src/repository/repository-settings.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';
import type { Context } from '../../src/util/context.ts';
import { defaults, Scratch } from '../archive/scratch.ts';
import { noise } from '../noise.ts';

export type ScenarioName = keyof typeof SCENARIOS;

/** Where a repository is, how it is reached, and who reaches it. */
export interface Stage {
  readonly scratch: Scratch;
  readonly ctx: Context;
  readonly open: RepositoryOpener;
  readonly create: RepositoryCreator;
}

/** `prepare` is done in peace, on a repository with the archives "one" and "two". */
interface Scenario {
  readonly prepare?: (stage: Stage) => Promise<void>;
  readonly run: (stage: Stage) => Promise<void>;
}

const NEW_PASSPHRASE = 'another';
/** The repository's, before and after they are changed. */
export const PASSPHRASES: readonly string[] = ['scratch', NEW_PASSPHRASE];
/** So that small trees have many chunks. */
const CHUNKER_PARAMS = ['buzhash', 10, 14, 12, 63] as const;
const SEGMENT_BYTES = '40000';

export const SCENARIOS = {
  init: { run: async (stage) => (await init(stage)).close() },
  create: {
    run: (stage) => inSession(stage, (session) => create(session, 'three')),
  },
  delete: {
    run: (stage) => inSession(stage, async (session) => void (await deleteArchives(session, ['one']))),
  },
  prune: {
    run: (stage) => inSession(stage, (session) => pruneArchives(session, { yearly: 1 })),
  },
  compact: {
    prepare: (stage) => inSession(stage, async (session) => void (await deleteArchives(session, ['one']))),
    run: (stage) =>
      inSession(stage, async ({ repository }) => {
        await repository.put(MANIFEST_ID, await repository.get(MANIFEST_ID));
        await repository.commit({ compact: true, threshold: 0 });
      }),
  },
  recreate: {
    run: (stage) =>
      inSession(
        stage,
        (session) =>
          recreateArchives(session, {
            matcher: new PatternMatcher(),
            excludeCaches: false,
            excludeIfPresent: [],
            keepExcludeTags: false,
            recompress: 'always',
            cmdline: ['alcove', 'recreate'],
            dryRun: false,
            checkpointIntervalSeconds: 0,
            progress: false,
            threads: 1,
          }),
        'zlib,6',
      ),
  },
  rename: {
    run: (stage) => inSession(stage, (session) => renameArchive(session, 'one', 'uno')),
  },
  rollback: {
    prepare: (stage) => inSession(stage, async (session) => void (await deleteArchives(session, ['one']))),
    run: async ({ ctx, scratch, open }) => {
      const options = { exclusive: true };
      await using repository = (await open(ctx, scratch.location, options)) as SegmentRepository;
      const history = await repositoryHistory(ctx, repository);
      const target = history.findLast(({ archiveCount }) => archiveCount === 2);
      if (target === undefined) throw new GeneralError(['the transaction can not be read']);
      await (await planRollback(ctx, repository, target.transactionId)).run();
    },
  },
  'change of the passphrase': {
    run: (stage) =>
      inSession(stage, async ({ repository, key }) => {
        const ctx = { ...stage.ctx, env: { ...stage.ctx.env, BORG_NEW_PASSPHRASE: NEW_PASSPHRASE } };
        await changePassphrase(ctx, repository, key);
      }),
  },
  'change of the config': {
    run: (stage) =>
      inSession(stage, async ({ repository, ctx }) => {
        changeSetting(repository as SegmentRepository, ctx.reporter, 'repository', 'storage_quota', '100M');
        await Promise.resolve();
      }),
  },
  upgrade: {
    run: (stage) =>
      inSession(stage, async ({ repository, key, manifest }) => {
        for (const required of [false, true]) {
          await saveTamRequired(stage.ctx, repository, key, required);
          await manifest.write();
          await repository.commit();
        }
      }),
  },
} satisfies Record<string, Scenario>;

export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

export function scenario(name: ScenarioName): Scenario {
  return SCENARIOS[name];
}

/** Makes the tree, and unless the scenario makes the repository itself, that with two archives. */
export async function prepareStage(stage: Stage, name: ScenarioName): Promise<void> {
  const { scratch } = stage;
  for (let i = 0; i < 6; i++) scratch.write(`one/${i}`, noise(3000, i + 1));
  scratch.write('one/large', noise(60_000, 50));
  scratch.write('two/small', 'two');
  scratch.write('two/large', noise(40_000, 50));
  scratch.write('three/new', noise(50_000, 60));
  scratch.write('three/large', noise(60_000, 50));
  if (name === 'init') return;
  const session = await init(stage);
  const { config } = session.repository as SegmentRepository;
  config.ini.get('repository')!.set('max_segment_size', SEGMENT_BYTES).set('segments_per_dir', '5');
  await session.repository.saveKey(await session.repository.loadKey());
  await session.close();
  for (const tree of ['one', 'two']) await inSession(stage, (each) => create(each, tree));
  await scenario(name).prepare?.(stage);
}

async function init({ ctx, scratch, create: make }: Stage): Promise<Session> {
  return initRepository(ctx, scratch.location, { encryption: 'repokey', create: make });
}

/** An archive of the tree that is called like it. */
export async function create(session: Session, name: string, tree = name): Promise<void> {
  const source = { kind: 'paths', paths: [fromUtf8(tree)] } as const;
  await createArchive(session, { ...defaults, name, source, chunkerParams: CHUNKER_PARAMS });
}

export async function inSession<T>(
  { ctx, scratch, open }: Stage,
  work: (session: Session) => Promise<T>,
  compression = 'lz4',
): Promise<T> {
  await using session = await openSession(ctx, scratch.location, {
    operations: ['read', 'write', 'delete'],
    exclusive: true,
    compression: parseCompression(compression),
    open,
  });
  return await work(session);
}

/** Trees by the names that their archives may have. */
const TREES: Readonly<Record<string, string>> = {
  uno: 'one',
  after: 'three',
  'one.recreate': 'one',
  'two.recreate': 'two',
};

/** As a client that has never seen the repository, or the one of `stage`; with one of the passphrases. */
export async function inSomeSession<T>(
  stage: Stage,
  work: (session: Session) => Promise<T>,
  newcomer = true,
): Promise<T> {
  const home = newcomer ? mkdtempSync(join(stage.scratch.path, 'home-')) : stage.scratch.path;
  let failure: unknown;
  for (const passphrase of PASSPHRASES) {
    const env = { ...stage.ctx.env, BORG_BASE_DIR: home, BORG_PASSPHRASE: passphrase };
    try {
      return await inSession({ ...stage, ctx: { ...stage.ctx, env } }, work);
    } catch (error) {
      if (!(error instanceof PassphraseWrong)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Asserts that every archive has the contents of its tree, and that of the tree all is there. */
export async function assertWhole(session: Session, trees: ReadonlyMap<string, string>): Promise<string[]> {
  const names = [...session.manifest.archives.keys()];
  for (const name of names) {
    const archive = await Archive.open(session, name);
    const files: [string, Uint8Array][] = [];
    for await (const item of archive.items()) {
      if (item.chunks === undefined) continue;
      const parts = await Array.fromAsync(archive.contents(item.chunks));
      files.push([toUtf8Lossy(item.path).replace(/^\w+\//, ''), Buffer.concat(parts)]);
    }
    assert.equal(digestOf(files), trees.get(TREES[name] ?? name), `contents of the archive ${name}`);
  }
  return names;
}

/** What assertWhole finds for an archive of each tree. */
export function treeDigests(): Map<string, string> {
  const small = Array.from({ length: 6 }, (_, i): [string, Uint8Array] => [`${i}`, noise(3000, i + 1)]);
  return new Map([
    ['one', digestOf([...small, ['large', noise(60_000, 50)]])],
    [
      'two',
      digestOf([
        ['large', noise(40_000, 50)],
        ['small', fromUtf8('two')],
      ]),
    ],
    [
      'three',
      digestOf([
        ['large', noise(60_000, 50)],
        ['new', noise(50_000, 60)],
      ]),
    ],
  ]);
}

function digestOf(files: readonly [string, Uint8Array][]): string {
  const hash = createHash('sha256');
  for (const [path, bytes] of files.toSorted(([a], [b]) => (a < b ? -1 : 1))) hash.update(path).update(bytes);
  return hash.digest('hex');
}
