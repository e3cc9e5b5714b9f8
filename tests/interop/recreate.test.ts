import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';

import { listTree } from '../tree-listing.ts';
import { Workspace } from '../workspace.ts';
import type { Program } from '../workspace.ts';
import { noise } from '../noise.ts';

const isRoot = process.getuid?.() === 0;
const CACHE_TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n# made by a test\n';
const space = new Workspace({ BORG_EXIT_CODES: 'modern' });
const tree = (...parts: string[]) => space.join('tree', ...parts);
let repository: string;
let count = 0;

before(() => {
  for (const folder of ['links', 'caches/real', 'caches/linked', 'caches/fake', 'tagged/below', 'plain']) {
    mkdirSync(tree(folder), { recursive: true });
  }
  writeFileSync(
    tree('large'),
    Buffer.concat([noise(1_500_000, 1), Buffer.alloc(600_000), noise(700_000, 2)]),
  );
  writeFileSync(tree('text'), 'all work and no play\n'.repeat(20_000));
  writeFileSync(tree('empty'), '');
  for (let i = 0; i < 20; i++) writeFileSync(tree('plain', `file-${i}`), `content ${i}\n`.repeat(i * 50));
  writeFileSync(tree('links', 'first'), noise(70_000, 3));
  for (const name of ['second', 'third']) linkSync(tree('links', 'first'), tree('links', name));
  symlinkSync('first', tree('links', 'symbolic'));
  if (isRoot) execFileSync('mknod', [tree('links', 'device'), 'c', '1', '3']);
  if (isRoot) linkSync(tree('links', 'device'), tree('links', 'device-2'));
  writeFileSync(tree('caches', 'real', 'CACHEDIR.TAG'), CACHE_TAG);
  linkSync(tree('caches', 'real', 'CACHEDIR.TAG'), tree('caches', 'linked', 'CACHEDIR.TAG'));
  writeFileSync(tree('caches', 'fake', 'CACHEDIR.TAG'), 'no signature');
  for (const name of ['real', 'linked', 'fake'])
    writeFileSync(tree('caches', name, 'data'), `cached ${name}`);
  writeFileSync(tree('tagged', '.nobackup'), '');
  writeFileSync(tree('tagged', 'below', 'file'), 'left out');
});
after(() => space[Symbol.dispose]());

function makeRepository(encryption: string): void {
  repository = space.join(`repo-${count++}`);
  space.borg(['init', '--encryption', encryption, repository]);
  space.borg(['create', '--comment', 'as it was', `${repository}::old`, 'tree']);
}

interface Dump {
  readonly _name: string;
  readonly _meta: Record<string, unknown>;
  readonly _items: readonly Record<string, unknown>[];
}

/** All that is stored of an archive. Each program has its own word for itself, and its own sizes as compressed. */
function dump(name: string, options: { csizes: boolean } = { csizes: true }): unknown {
  space.borg(['debug', 'dump-archive', `${repository}::${name}`, space.join('dump.json')]);
  const { _meta, _items } = JSON.parse(readFileSync(space.join('dump.json'), 'utf8')) as Dump;
  execFileSync('rm', [space.join('dump.json')]);
  const ignored = ['name', 'recreate_cmdline', 'items', 'tam'];
  const meta = Object.entries(_meta).filter(
    ([key]) => !ignored.includes(key) && (options.csizes || key !== 'csize'),
  );
  const items = _items.map((item) => {
    const chunks = item['chunks'] as readonly (readonly unknown[])[] | undefined;
    return options.csizes || chunks === undefined
      ? item
      : { ...item, chunks: chunks.map((c) => c.slice(0, 2)) };
  });
  return { meta: Object.fromEntries(meta), items };
}

/** Recreates `old` by both programs, under other names, and compares what they print and what they store. */
function same(args: readonly string[], paths: readonly string[] = [], options = { csizes: true }): string {
  const targets = [`by-alcove-${count++}`, `by-borg-${count++}`] as const;
  const run = (program: Program, target: string) =>
    program(['recreate', '--list', '--target', target, ...args, `${repository}::old`, ...paths]);
  const found = run(space.alcove, targets[0]);
  const expected = run(space.borg, targets[1]);
  assert.deepEqual(found, expected);
  assert.deepEqual(dump(targets[0], options), dump(targets[1], options));
  return found.stderr;
}

/** Start and comment of an archive. */
function info(name: string): readonly string[] {
  const { stdout } = space.borg(['info', '--json', `${repository}::${name}`]);
  const { archives } = JSON.parse(stdout) as { archives: { start: string; comment: string }[] };
  return [archives[0]!.start, archives[0]!.comment];
}

function extract(program: Program, name: string): string[] {
  const destination = space.join(`restored-${count++}`);
  mkdirSync(destination);
  program(['extract', `${repository}::${name}`], { cwd: destination });
  return listTree(`${destination}/tree`);
}

describe('recreate makes the archive that the reference makes', () => {
  before(() => makeRepository('repokey'));

  it('of a selection of paths, hard links whose first names are left out among them', () => {
    assert.match(
      same(['-e', '*/links/first', '-e', 'tree/links/device'], ['tree/links']),
      /^x tree\/links\/first$/m,
    );
  });

  it('without caches and tagged directories', () => {
    assert.match(
      same(['--exclude-caches', '--exclude-if-present', '.nobackup']),
      /^x tree\/caches\/linked$/m,
    );
  });

  it('without what is in caches and tagged directories, but with the tags', () => {
    const tags = ['--exclude-caches', '--exclude-if-present', '.nobackup', '--keep-exclude-tags'];
    assert.match(same(tags), /^A tree\/tagged\/\.nobackup$/m);
  });

  for (const params of ['12,16,14,4095', 'fixed,65536,1000', 'default']) {
    it(`cut anew with --chunker-params ${params}`, () => {
      same(['--chunker-params', params]);
    });
  }

  it('compressed again where the algorithm differs', () => {
    same(['--recompress', '-C', 'zstd,3'], [], { csizes: false });
  });

  it('compressed again in any case, and cut anew', () => {
    same(['--recompress=always', '-C', 'zlib,9'], [], { csizes: false });
    const both = ['--recompress', 'always', '-C', 'auto,lzma,2', '--chunker-params', 'fixed,100000'];
    space.alcove(['recreate', ...both, '--target', 'both', `${repository}::old`]);
    assert.deepEqual(extract(space.borg, 'both'), listTree(tree()));
    space.borg(['check', '--verify-data', repository]);
  });

  it('with another comment and another time', () => {
    const changes = ['--comment', 'by {hostname}', '--timestamp', '2020-02-02T02:02:02'];
    for (const program of ['alcove', 'borg'] as const) {
      space[program](['recreate', ...changes, '--target', program, `${repository}::old`]);
    }
    assert.deepEqual(info('alcove'), info('borg'));
    assert.equal(info('alcove')[0], '2020-02-02T02:02:02.000000');
  });
});

describe('recreate in place', () => {
  beforeEach(() => makeRepository('repokey-blake2'));

  it('replaces every archive, and keeps names, times and contents', () => {
    space.borg(['create', `${repository}::new`, 'tree/plain']);
    space.borg(['create', `${repository}::left.recreate`, 'tree/plain']);
    const listed = () => space.borg(['list', '--format', '{name} {time} {comment}{NL}', repository]).stdout;
    const beforehand = listed();
    const args = ['recreate', '-v', '--recompress', '-C', 'zstd', repository];
    const { stdout } = space.alcove(args);
    assert.equal(stdout, 'Processing old\nProcessing new\n');
    assert.equal(listed(), beforehand);
    space.borg(['check', '--verify-data', repository]);
    assert.deepEqual(extract(space.borg, 'old'), listTree(tree()));
    // The other program finds the cache in step, and takes over what the first one left.
    assert.equal(space.borg(args).stdout, stdout);
    assert.doesNotMatch(space.alcove(['recreate', '-v', '--comment', 'x', repository]).stderr, /ynchroniz/);
    space.borg(['check', '--verify-data', repository]);
  });

  it('drops what is left out for good, after a dry run that changes nothing', () => {
    const args = ['recreate', '--list', '--exclude', 'tree/large', repository];
    const dry = [space.borg, space.alcove].map((program) => program([...args, '--dry-run']));
    assert.deepEqual(dry[1], dry[0]);
    assert.equal(space.borg(['list', '--short', `${repository}::old`, 'tree/large']).stdout, 'tree/large\n');
    space.alcove(args);
    space.alcove(['compact', '--threshold', '0', repository]);
    space.borg(['check', '--verify-data', repository]);
    assert.equal(space.borg(['list', '--short', `${repository}::old`]).stdout.includes('tree/large'), false);
  });

  it('refuses what the reference refuses', () => {
    space.borg(['create', `${repository}::temporary.recreate`, 'tree/plain']);
    const cases: readonly (readonly [number, ...string[]])[] = [
      [4, `${repository}::old`],
      [4, `${repository}::temporary.recreate`, 'tree'],
      [4, '--target', 'x', repository],
      [30, '--target', 'old', `${repository}::old`, 'tree'],
      [31, `${repository}::nothing`, 'tree'],
      [0, '-v', repository],
    ];
    for (const [code, ...args] of cases) {
      const found = space.alcove(['recreate', ...args], { accept: [code] });
      assert.deepEqual(found, space.borg(['recreate', ...args], { accept: [code] }));
    }
  });
});
