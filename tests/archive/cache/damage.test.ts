/**
 * Whatever happened to the files of the client's cache: it counts the references that there are, or the command says why
 * not, and what could not be used is said and built anew. A count too low would in the end delete what is in use.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BorgError } from '../../../src/errors.ts';
import { noise } from '../../noise.ts';
import { Scratch } from '../scratch.ts';
import { checkReferences } from './reference-model.ts';

/**
 * What becomes of the cache: `rebuilt` from the repository as a whole, `synced` with it, only the `files cache` emptied,
 * one `archive index` made again, or `kept`.
 */
type Fate = 'rebuilt' | 'synced' | 'files cache' | 'archive index' | 'kept';

const SAYS: Readonly<Record<Fate, RegExp>> = {
  rebuilt: /^warning: Discarding incompatible or corrupted cache and forcing a cache rebuild$/m,
  synced: /^info: Synchronizing chunks cache\.\.\.$/m,
  'files cache': /^warning: The files cache (?:is corrupted|seems invalid|can't be read)/m,
  'archive index': /Cached archive chunk index of \w+ is corrupted|No integrity file found/,
  kept: /^/,
};

/** The file at `path`; `older` has the cache as it was an archive ago, `other` that of another repository. */
type Damage = (path: string, places: { name: string; older: string; other: string }) => void;

const DAMAGES = {
  'a flipped bit': (path) => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 4;
    writeFileSync(path, bytes);
  },
  'half of it': (path) => writeFileSync(path, readFileSync(path).subarray(0, statSync(path).size >> 1)),
  nothing: (path) => writeFileSync(path, ''),
  garbage: (path) => writeFileSync(path, noise(statSync(path).size + 7, 9)),
  'zeros for its end': (path) => writeFileSync(path, readFileSync(path).fill(0, statSync(path).size >> 1)),
  'an older version': (path, { name, older }) => copyFileSync(join(older, name), path),
  "another repository's": (path, { name, other }) => copyFileSync(join(other, name), path),
  'a folder': (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  'no file': (path) => rmSync(path),
} satisfies Record<string, Damage>;

type DamageName = keyof typeof DAMAGES;

interface Row {
  readonly name: string;
  /** Of all damages but those named in `but`. */
  readonly fate: Fate;
  readonly but?: Partial<Record<DamageName, Fate | 'an error' | 'no case'>>;
  /** Makes the cache need the file. */
  readonly outOfStep?: boolean;
}

const rows: readonly Row[] = [
  {
    name: 'config',
    fate: 'rebuilt',
    but: {
      // Depends on where: see below.
      'a flipped bit': 'no case',
      'a folder': 'an error',
    },
  },
  { name: 'chunks', fate: 'rebuilt', but: { 'a folder': 'an error' } },
  { name: 'files', fate: 'files cache', but: { 'a folder': 'an error' } },
  { name: 'pre12-meta', fate: 'kept', but: { 'a folder': 'an error' } },
  { name: 'README', fate: 'kept' },
  {
    name: 'INDEX',
    fate: 'archive index',
    outOfStep: true,
    but: {
      'no file': 'synced',
      'an older version': 'synced',
      "another repository's": 'no case',
      'a folder': 'an error',
    },
  },
  {
    name: 'INDEX.integrity',
    fate: 'archive index',
    outOfStep: true,
    but: { 'an older version': 'synced', "another repository's": 'no case', 'a folder': 'an error' },
  },
];

describe('the cache of a client that finds', () => {
  const scratch = new Scratch();
  const caches = scratch.join('.cache', 'borg');
  const saved = { older: scratch.join('older'), now: scratch.join('now') };
  let folder = '';
  let other = '';
  after(() => scratch[Symbol.dispose]());

  before(async () => {
    scratch.write('source/one', noise(300_000, 1));
    scratch.write('source/two', noise(10_000, 2));
    await scratch.init('none');
    await scratch.create('a');
    [folder = ''] = cachesIn(caches).map((id) => join(caches, id));
    // Has an index of each archive.
    rmSync(folder, { recursive: true });
    {
      await using session = await scratch.open();
      await (await session.openCache()).close();
    }
    copy(folder, saved.older);
    scratch.write('source/three', noise(10_000, 3));
    await scratch.create('b');
    copy(folder, saved.now);
    using another = new Scratch();
    another.write('source/one', noise(300_000, 1));
    await another.init('none');
    await another.create('x');
    other = scratch.join('other');
    copy(join(another.path, '.cache', 'borg', cachesIn(another.join('.cache', 'borg'))[0]!), other);
  });

  for (const row of rows) {
    for (const [what, damage] of Object.entries(DAMAGES) as [DamageName, Damage][]) {
      const fate = row.but?.[what] ?? row.fate;
      if (fate === 'no case') continue;
      it(`${what} as ${row.name} ${fate === 'an error' ? 'says so' : `is right afterwards: ${fate}`}`, async () => {
        copy(saved.now, folder);
        const name = fileName(row.name, folder);
        damage(join(folder, name), { name, older: saved.older, other });
        if (row.outOfStep === true) setOutOfStep(folder);
        const ctx = scratch.context();
        const use = async (): Promise<void> => {
          await using session = await scratch.open(ctx);
          await checkReferences(session, what);
          if (row.name !== 'files') return;
          // It is written when an archive is made.
          await using cache = await session.openCache({ filesCacheMode: 'cis' });
          await cache.begin();
          await cache.commit();
        };
        if (fate === 'an error') return assert.rejects(use(), /EISDIR|ENOTDIR|illegal operation/i);
        await use();
        assert.match(
          ctx.reporter.logged.join('\n') + ctx.reporter.warnings.map(({ message }) => message),
          SAYS[fate],
        );
        // Once and for all.
        const again = scratch.context();
        await using session = await scratch.open(again);
        await checkReferences(session, what);
        assert.deepEqual(again.reporter.logged, []);
      });
    }
  }

  it('a flipped bit anywhere in config counts right, or says what is wrong', async () => {
    const { size } = statSync(join(saved.now, 'config'));
    let refused = 0;
    for (let at = 3; at < size; at += 23) {
      copy(saved.now, folder);
      const bytes = readFileSync(join(folder, 'config'));
      bytes[at]! ^= 1 << (at % 7);
      writeFileSync(join(folder, 'config'), bytes);
      try {
        await using session = await scratch.open();
        await checkReferences(session, `at ${at}`);
      } catch (error) {
        // Of a later version, by its looks; of a later time; of another kind of key.
        assert.ok(error instanceof BorgError, `at ${at}: ${String(error)}`);
        refused += 1;
      }
    }
    assert.ok(refused < 6, String(refused));
  });

  const leftovers: [what: string, make: (folder: string) => void][] = [
    ['an empty txn.tmp', () => put('txn.tmp')],
    ['a txn.tmp with garbage', () => put('txn.tmp', { config: 'x', chunks: 'y', odd: 'z' })],
    ['an empty txn.active', () => put('txn.active')],
    ['a txn.active with garbage for chunks', () => put('txn.active', { chunks: 'x' })],
    ['a txn.active with garbage for the config', () => put('txn.active', { config: '\0\0\0' })],
    ['a txn.active with garbage for all', () => put('txn.active', { config: '', chunks: '', files: 'x' })],
    ['a txn.active of an archive ago', () => copyAll(saved.older)],
    ['a txn.active of another repository', () => copyAll(other)],
  ];
  const put = (name: string, files: Record<string, string> = {}): void => {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
  };
  const copyAll = (from: string): void => {
    mkdirSync(join(folder, 'txn.active'));
    for (const name of ['config', 'chunks', 'files']) {
      copyFileSync(join(from, name), join(folder, 'txn.active', name));
    }
  };
  for (const [what, make] of leftovers) {
    it(`${what} is right afterwards`, async () => {
      copy(saved.now, folder);
      make(folder);
      await using session = await scratch.open();
      await checkReferences(session, what);
      assert.ok(!existsSync(join(folder, 'txn.active')) && !existsSync(join(folder, 'txn.tmp')));
    });
  }
});

function copy(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync('cp', ['-a', from, to]);
}

function cachesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
}

/** INDEX stands for the index of the first archive. */
function fileName(name: string, folder: string): string {
  if (!name.startsWith('INDEX')) return name;
  const [index] = readdirSync(join(folder, 'chunks.archive.d')).filter((each) => each.endsWith('.compact'));
  return join('chunks.archive.d', name.replace('INDEX', index!));
}

function setOutOfStep(folder: string): void {
  const config = join(folder, 'config');
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll(/manifest = .*/g, 'manifest = '));
}
