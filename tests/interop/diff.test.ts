import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lchownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { Workspace } from '../workspace.ts';
import { noise } from '../noise.ts';

const PATTERN_NEVER_MATCHED = 101;
const isRoot = process.getuid?.() === 0;
const space = new Workspace({ BORG_EXIT_CODES: 'modern' });
const repository = space.join('repo');
const tree = (...parts: string[]) => space.join('tree', ...parts);

before(() => {
  buildTree();
  space.borg(['init', '--encryption', 'repokey', repository]);
  space.borg(['create', `${repository}::one`, 'tree']);
  changeTree();
  space.borg(['create', `${repository}::two`, 'tree']);
  const uncached = ['create', '--files-cache', 'disabled'];
  space.borg([...uncached, '--chunker-params', '12,16,14,4095', `${repository}::cut-otherwise`, 'tree']);
  space.borg(['create', '--numeric-ids', `${repository}::by-number`, 'tree']);
});
after(() => space[Symbol.dispose]());

/** The same output, messages and exit code of both programs; gives the output. */
function same(args: readonly string[]): string {
  const accept = [0, 1, PATTERN_NEVER_MATCHED];
  const expected = space.borg(['diff', ...args], { accept });
  const found = space.alcove(['diff', ...args], { accept });
  assert.deepEqual(found, expected);
  return found.stdout;
}

describe('diff prints what the reference prints', () => {
  const pair = [`${repository}::one`, 'two'];
  const backwards = [`${repository}::two`, 'one'];

  it('for every kind of change, forwards and backwards', () => {
    const text = same(pair);
    for (const kind of ['added ', 'removed ', 'changed link', 'added directory', '[-rw', '[mtime:', '+']) {
      assert.ok(text.includes(kind), `no ${kind} in\n${text}`);
    }
    if (isRoot) assert.match(text, /added chrdev/);
    same(backwards);
    assert.equal(same([`${repository}::one`, 'one']), '');
  });

  it('as lines of JSON', () => {
    const lines = same(['--json-lines', ...pair])
      .trim()
      .split('\n');
    assert.ok(lines.every((line) => 'path' in (JSON.parse(line) as object)));
    same(['--json-lines', '--content-only', ...backwards]);
  });

  it('of contents alone', () => {
    assert.doesNotMatch(same(['--content-only', ...pair]), /mtime/);
  });

  const sortings = ['--sort', '--sort-by=>size_diff,<size, >path', '--sort-by=size_added,>size_removed'];
  for (const sorting of sortings) {
    it(`sorted with ${sorting}`, () => {
      same([sorting, ...pair]);
    });
  }

  it('sorted by owners and times', () => {
    same(['--sort-by=uid,>gid,mtime,>ctime', ...pair]);
    same(['--sort-by=>user,group,>mtime_diff,ctime_diff', ...backwards]);
  });

  it('for selected paths, with a warning for one that matches nothing', () => {
    assert.match(same([...pair, 'tree/links', 'tree/changed']), /tree\/changed/);
    same(['--exclude', '*/links', '--pattern', '- re:^tree/gone', ...pair]);
    same([...pair, 'no/such/path']);
  });

  it('for hard links whose first name is left out', () => {
    same(['--exclude', 'tree/links/first', ...pair]);
    same(['--exclude', 'tree/links/first', ...backwards]);
  });

  it('for archives that were cut in different ways, by their contents', () => {
    const cut = [`${repository}::two`, 'cut-otherwise'];
    assert.doesNotMatch(same(['--content-only', ...cut]), /tree/);
    assert.match(same([`${repository}::one`, 'cut-otherwise']), /^modified .* tree\/changed$/m);
    same(['--json-lines', `${repository}::one`, 'cut-otherwise']);
    assert.match(same(['--same-chunker-params', ...cut]), /tree\/large/);
  });

  it('for archives without names of owners', () => {
    same([`${repository}::two`, 'by-number']);
    same(['--json-lines', `${repository}::two`, 'by-number']);
  });

  it('in JSON logs, and with other codes for what it refuses', () => {
    const times = /"time": [\d.]+/g;
    const args = ['diff', '--log-json', ...pair, 'no/such/path'];
    const [expected, found] = [space.borg, space.alcove].map((program) =>
      program(args, { accept: [PATTERN_NEVER_MATCHED] }),
    );
    assert.equal(found!.stderr.replaceAll(times, ''), expected!.stderr.replaceAll(times, ''));
    for (const wrong of [
      [`${repository}::one`, 'nothing'],
      [`${repository}::nothing`, 'one'],
    ]) {
      const codes = [space.borg, space.alcove].map(
        (program) => program(['diff', ...wrong], { accept: [31] }).stderr,
      );
      assert.equal(codes[1], codes[0]);
    }
  });
});

describe('diff --numeric-ids', () => {
  it('compares numbers, where names are missing in one archive', () => {
    const args = [`${repository}::two`, 'by-number'];
    assert.match(space.alcove(['diff', ...args]).stdout, /None:None/);
    assert.equal(space.alcove(['diff', '--numeric-ids', ...args]).stdout, '');
  });

  it('tells the numbers', { skip: !isRoot }, () => {
    const { stdout } = space.alcove(['diff', '--numeric-ids', `${repository}::one`, 'two']);
    assert.match(stdout, /\[0:0 -> 4711:4712\].* tree\/owner$/m);
  });
});

function buildTree(): void {
  for (const folder of ['', 'links', 'gone', 'below', 'swap']) mkdirSync(tree(folder), { recursive: true });
  writeFileSync(tree('same'), 'same');
  writeFileSync(tree('changed'), 'before');
  writeFileSync(tree('large'), noise(3_000_000, 1));
  writeFileSync(tree('mode'), 'mode');
  writeFileSync(tree('owner'), 'owner');
  writeFileSync(tree('time'), 'time');
  writeFileSync(tree('gone', 'file'), noise(20_000, 2));
  writeFileSync(tree('links', 'first'), noise(5_000, 3));
  linkSync(tree('links', 'first'), tree('links', 'second'));
  linkSync(tree('links', 'first'), tree('below', 'third'));
  writeFileSync(tree('links', 'alone'), 'alone');
  symlinkSync('same', tree('symlink'));
  symlinkSync('same', tree('was-symlink'));
  symlinkSync('x', tree('gone', 'symlink'));
  writeFileSync(tree('was-file'), 'file');
  mkdirSync(tree('was-folder'));
  writeFileSync(Buffer.concat([Buffer.from(tree('bytes-')), Buffer.from([0xff, 0xfe])]), 'bytes');
  writeFileSync(tree('swap', 'a'), 'a');
  writeFileSync(tree('swap', 'b'), 'bb');
  execFileSync('mkfifo', [tree('gone', 'fifo')]);
}

function changeTree(): void {
  writeFileSync(Buffer.concat([Buffer.from(tree('bytes-')), Buffer.from([0xff, 0xfe])]), 'others');
  writeFileSync(tree('changed'), 'and after');
  writeFileSync(tree('large'), Buffer.concat([noise(3_000_000, 1), noise(2_000_000, 4)]));
  chmodSync(tree('mode'), 0o4711);
  if (isRoot) lchownSync(tree('owner'), 4711, 4712);
  utimesSync(tree('time'), 1_500_000_000.25, 1_500_000_000.25);
  rmSync(tree('gone'), { recursive: true });
  mkdirSync(tree('new', 'folder'), { recursive: true });
  writeFileSync(tree('new', 'file'), noise(1_234_567, 5));
  writeFileSync(tree('new', 'empty'), '');
  symlinkSync('target', tree('new', 'symlink'));
  execFileSync('mkfifo', [tree('new', 'fifo')]);
  if (isRoot) execFileSync('mknod', [tree('new', 'device'), 'c', '1', '3']);
  if (isRoot) execFileSync('mknod', [tree('new', 'disk'), 'b', '7', '99']);
  writeFileSync(tree('links', 'first'), noise(6_000, 6));
  rmSync(tree('below', 'third'));
  linkSync(tree('links', 'first'), tree('links', 'fourth'));
  linkSync(tree('links', 'alone'), tree('links', 'not-alone'));
  rmSync(tree('symlink'));
  symlinkSync('changed', tree('symlink'));
  rmSync(tree('was-symlink'));
  writeFileSync(tree('was-symlink'), 'file now');
  rmSync(tree('was-file'));
  mkdirSync(tree('was-file'));
  rmSync(tree('was-folder'), { recursive: true });
  symlinkSync('elsewhere', tree('was-folder'));
  renameSync(tree('swap', 'a'), tree('swap', 'c'));
  renameSync(tree('swap', 'b'), tree('swap', 'a'));
  renameSync(tree('swap', 'c'), tree('swap', 'b'));
}
