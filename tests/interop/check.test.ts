/** The same damage, given to both programs: the same verdict, words and exit code, and the same after a repair. */
import assert from 'node:assert/strict';
import { globSync, lutimesSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { encode } from '../../src/msgpack/encode.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { encodeItem } from '../../src/format/item.ts';
import { fromHex, fromUtf8 } from '../../src/util/bytes.ts';
import { noise } from '../noise.ts';
import { RepairTwins, SIDES } from './repair-twins.ts';
import type { Surgery } from './surgery.ts';

interface Damage {
  readonly title: string;
  readonly apply: (surgery: Surgery) => Promise<void>;
  /** Exit code without --repair. Default 1. */
  readonly status?: number;
  /** Only --verify-data finds it. */
  readonly hidden?: boolean;
  /** Why it is only given to Borg with --verify-data --repair. */
  readonly borgFails?: string;
}

const STACK = 'it ends with a Python stack';

const damages: readonly Damage[] = [
  { title: 'nothing', apply: async () => {}, status: 0 },
  {
    title: 'a missing chunk of a file',
    apply: async (one) => one.remove((await one.chunks('b', 'tree/big'))[1]!.id),
  },
  {
    title: 'missing chunks of all files',
    apply: async (one) => {
      // Not those of zeros, which Borg replaces by themselves, and calls broken nevertheless.
      for (const path of ['tree/big', 'tree/text']) {
        for (const { id } of await one.chunks('b', path)) await one.remove(id).catch(() => {});
      }
    },
  },
  {
    title: 'a changed bit in a chunk',
    apply: async (one) => one.flip((await one.chunks('a', 'tree/big'))[0]!.id),
    hidden: true,
  },
  {
    title: 'other contents in the place of a chunk',
    apply: async (one) => one.exchange((await one.chunks('a', 'tree/text'))[0]!.id, fromUtf8('forged')),
    hidden: true,
  },
  {
    title: 'a missing part of a list of files',
    apply: async (one) => one.remove((await one.metadata('a')).items[1]!),
  },
  {
    title: 'a missing beginning of a list of files',
    apply: async (one) => one.remove((await one.metadata('a')).items[0]!),
  },
  {
    title: 'a missing end of a list of files',
    apply: async (one) => one.remove((await one.metadata('a')).items.at(-1)!),
  },
  { title: 'a missing archive', apply: async (one) => one.remove(one.archiveId('b')) },
  {
    title: 'a changed bit in an archive',
    apply: async (one) => one.flip(one.archiveId('b')),
    borgFails: STACK,
  },
  { title: 'a missing manifest', apply: async (one) => one.remove(MANIFEST_ID) },
  { title: 'a changed bit in the manifest', apply: async (one) => one.flip(MANIFEST_ID) },
  { title: 'a manifest without authentication', apply: async (one) => one.forgeManifest() },
  {
    title: 'a missing manifest, and two archives of one name',
    apply: async (one) => {
      await one.rewriteMetadata('b', (map, seal) => seal(new Map([...map, ['name', 'a']])));
      await one.remove(MANIFEST_ID);
    },
  },
  {
    title: 'a missing manifest, and an archive without authentication',
    apply: async (one) => {
      await one.rewriteMetadata('b', (map) => encode(map));
      await one.remove(MANIFEST_ID);
    },
  },
  {
    title: 'an archive without authentication',
    apply: async (one) => one.rewriteMetadata('b', (map) => encode(map)),
  },
  {
    title: 'an archive with a wrong authentication',
    apply: async (one) =>
      one.rewriteMetadata('b', (map, seal) => {
        const packed = Buffer.from(seal(map));
        const at = packed.indexOf('tree');
        packed.write('eert', at);
        return packed;
      }),
  },
  {
    title: 'an object that nothing refers to',
    apply: async (one) => void (await one.store(fromUtf8('orphan'))),
  },
  {
    title: 'garbage in a list of files',
    apply: async (one) =>
      one.rewriteItems('b', (packed) => [...packed.slice(0, 3), fromHex('c1c1'), ...packed.slice(3)]),
  },
  {
    title: 'other things in a list of files',
    apply: async (one) =>
      one.rewriteItems('b', (packed) => [
        encode(5),
        encode({ path: 'no time' }),
        ...packed,
        encode({ path: 'x', mtime: 1, later: 1 }),
      ]),
  },
  {
    title: 'a list of right chunks of another length',
    apply: async (one) =>
      one.rewriteItems('b', (packed, items) =>
        packed.map((bytes, number) => {
          const item = items[number]!;
          return item.chunks === undefined
            ? bytes
            : encodeItem({ ...item, chunksHealthy: [...item.chunks, ...item.chunks, ...item.chunks] });
        }),
      ),
    status: 0,
  },
  {
    title: 'a size that is not that of the chunks',
    apply: async (one) =>
      one.rewriteItems('b', (packed, items) =>
        packed.map((bytes, number) => {
          const item = items[number]!;
          return item.size === undefined ? bytes : encodeItem({ ...item, size: item.size + 1 });
        }),
      ),
    status: 0,
  },
];

describe('check', () => {
  const twins = new RepairTwins();
  after(() => twins[Symbol.dispose]());

  before(async () => {
    const tree = join(twins.work, 'tree');
    mkdirSync(join(tree, 'many'), { recursive: true });
    writeFileSync(join(tree, 'big'), noise(20_000, 1));
    writeFileSync(join(tree, 'text'), 'hello');
    writeFileSync(join(tree, 'zeros'), Buffer.alloc(100_000));
    symlinkSync('text', join(tree, 'link'));
    // Cut into small chunks, so that the list of files has several parts.
    for (let i = 0; i < 30; i++) writeFileSync(join(tree, 'many', `${i}`), Buffer.alloc(256 * 1024));
    // Borg may take the last byte of a time for the beginning of a file's item, see RobustItemStream.
    for (const path of globSync('**', { cwd: tree }))
      lutimesSync(join(tree, path), 1_700_000_000, 1_700_000_000);
    await twins.make('init', '-e', 'repokey', 'REPO');
    const params = ['--noctime', '--chunker-params', 'fixed,512'];
    await twins.make('create', ...params, '--timestamp', '2024-01-01T00:00:00', 'REPO::a', 'tree');
    writeFileSync(join(tree, 'text2'), 'hello again');
    rmSync(join(tree, 'many'), { recursive: true });
    await twins.make('create', ...params, '--timestamp', '2024-01-02T00:00:00', 'REPO::b', 'tree');
  });

  for (const { title, apply, status = 1, hidden = false, borgFails } of damages) {
    it(`finds and mends ${title} as Borg does`, async () => {
      await twins.damage(apply);
      if (borgFails === undefined) {
        assert.equal(await twins.alike('check', '-v', 'REPO'), hidden ? 0 : status);
        assert.equal(await twins.alike('check', '--verify-data', '-v', 'REPO'), status);
      }
      await twins.alike('check', '-v', '--verify-data', '--repair', 'REPO');
      await twins.sameContents();
    });
  }

  const lines = [
    '-v --last 1 REPO',
    '-v --first 5 REPO',
    '-v --last 3 --verify-data REPO',
    '-v -a no* REPO',
    '-v --prefix a REPO',
    '-v REPO::a',
    '-v REPO::nope',
    '-v --archives-only REPO::b',
    '-v --archives-only --repository-only REPO',
    '-v --repository-only REPO',
    '-v --repository-only --max-duration 100 REPO',
    '-v --repository-only --last 1 REPO',
    '-v --repository-only --prefix x REPO',
    '-v --max-duration 1 REPO',
    '-v --repair --max-duration 1 REPO',
    '-v --repair --last 1 --save-space REPO',
    '-v --repair REPO::a',
    '--log-json -v --progress --verify-data REPO',
    '--log-json -v --progress --archives-only --repair REPO',
    '-v nowhere',
  ];
  it('understands command lines as Borg does, with a missing chunk and without', async () => {
    for (const line of lines) {
      await twins.damage(async () => {});
      await twins.alike('check', ...line.split(' '));
      await twins.damage(async (one) => one.remove((await one.chunks('b', 'tree/text'))[0]!.id));
      await twins.alike('check', ...line.split(' '));
    }
  });

  it('heals files as Borg does when their contents are there again', async () => {
    const lost = ['tree/big', 'tree/text'];
    await twins.damage(async (one) => {
      for (const path of lost) for (const { id } of await one.chunks('b', path)) await one.remove(id);
    });
    await twins.alike('check', '-v', '--repair', 'REPO');
    await twins.alike('check', '-v', 'REPO');
    const params = ['--noctime', '--chunker-params', 'fixed,512', '--timestamp', '2024-02-01T00:00:00'];
    for (const side of SIDES) {
      const { status, stderr } = await twins.run({ program: side, side }, [
        'create',
        ...params,
        'REPO::c',
        'tree',
      ]);
      assert.equal(status, 0, stderr);
    }
    await twins.alike('check', '-v', 'REPO');
    await twins.alike('check', '-v', '--repair', 'REPO');
    await twins.sameContents();
    const { stdout } = await twins.run({ program: 'borg', side: 'alcove' }, [
      'list',
      '--format',
      '{health}{NL}',
      'REPO::a',
    ]);
    assert.doesNotMatch(stdout, /broken/);
  });
});
