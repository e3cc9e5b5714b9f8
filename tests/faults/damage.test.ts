import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { listTree } from '../tree-listing.ts';
import { Workspace } from '../workspace.ts';
import type { Outcome } from '../workspace.ts';
import { noise } from '../noise.ts';

/** What alcove owes the user when such a file is damaged. */
type Promise_ =
  /** The file can be made again from the repository: everything works, whatever its bytes. */
  | 'works'
  /** Right data, or a clear error; never wrong data. */
  | 'right or refused';

interface Kind {
  name: string;
  glob: string;
  promise: Promise_;
  /** A line or two: where in it the bit flips makes no difference. */
  small?: true;
}

const kinds: readonly Kind[] = [
  { name: 'repository README', glob: 'repo/README', promise: 'right or refused', small: true },
  { name: 'repository config', glob: 'repo/config', promise: 'right or refused' },
  { name: 'segment with data', glob: 'repo/data/0/[0-9]', promise: 'right or refused' },
  { name: 'repository index', glob: 'repo/index.*', promise: 'works' },
  { name: 'repository hints', glob: 'repo/hints.*', promise: 'works' },
  { name: 'repository integrity file', glob: 'repo/integrity.*', promise: 'works' },
  { name: 'repository nonce', glob: 'repo/nonce', promise: 'right or refused', small: true },
  { name: 'cache config', glob: 'home/.cache/borg/*/config', promise: 'right or refused' },
  { name: 'chunks cache', glob: 'home/.cache/borg/*/chunks', promise: 'works' },
  { name: 'files cache', glob: 'home/.cache/borg/*/files*', promise: 'works' },
  {
    name: 'security location',
    glob: 'home/.config/borg/security/*/location',
    promise: 'right or refused',
    small: true,
  },
  {
    name: 'security key type',
    glob: 'home/.config/borg/security/*/key-type',
    promise: 'right or refused',
    small: true,
  },
  {
    name: 'security timestamp',
    glob: 'home/.config/borg/security/*/manifest-timestamp',
    promise: 'right or refused',
    small: true,
  },
  {
    name: 'security nonce',
    glob: 'home/.config/borg/security/*/nonce',
    promise: 'right or refused',
    small: true,
  },
  { name: 'key file', glob: 'home/.config/borg/keys/*', promise: 'right or refused' },
];

interface Damage {
  name: string;
  apply: (path: string) => void;
  /** What a small file need not go through. */
  largeOnly?: boolean;
}

/** A few, to see what the commands say and exit with: the damage campaign has all others. */
const damages: readonly Damage[] = [
  { name: 'a flipped bit', apply: (path) => flip(path, 0.3) },
  { name: 'no bytes', apply: (path) => truncateSync(path, 0), largeOnly: true },
];

/** Copies with times to the nanosecond, which Node's own copy cuts off. */
function copy(source: string, destination: string): void {
  execFileSync('cp', ['-a', source, destination]);
}

function flip(path: string, share: number): void {
  const bytes = readFileSync(path);
  const at = Math.min(bytes.length - 1, Math.floor(bytes.length * share));
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

function assertClear({ status, stderr }: Outcome, title: string): void {
  assert.ok(status < 128, `${title}: exit ${status}`);
  assert.ok(stderr.trim() !== '', `${title}: exit ${status} without a word`);
  assert.doesNotMatch(stderr, /\n\s+at .*\(|internal error|TypeError|RangeError/, title);
}

describe('a damaged file', () => {
  const base = new Workspace();
  after(() => base[Symbol.dispose]());
  const original = base.join('original');
  let wanted: string[] = [];

  before(() => {
    mkdirSync(base.join('tree'));
    for (let i = 0; i < 20; i++) writeFileSync(base.join('tree', `file-${i}`), noise(5_000, i + 1));
    writeFileSync(base.join('tree', 'large'), noise(700_000, 99));
    wanted = listTree(base.join('tree'));
    base.alcove(['init', '--encryption', 'keyfile', base.join('repo')]);
    base.alcove(['create', `${base.join('repo')}::one`, 'tree']);
    base.alcove(['create', `${base.join('repo')}::two`, 'tree']);
    mkdirSync(original);
    for (const part of ['tree', 'repo', 'home']) {
      copy(base.join(part), original);
    }
  });

  const restore = (space: Workspace, archive: string): Outcome => {
    rmSync(space.join('out'), { recursive: true, force: true });
    mkdirSync(space.join('out'));
    const outcome = space.alcove(['extract', `${space.join('repo')}::${archive}`], {
      cwd: space.join('out'),
      accept: codes,
    });
    if (outcome.status === 0)
      assert.deepEqual(listTree(space.join('out', 'tree')), wanted, `${archive} came back wrong`);
    return outcome;
  };
  const codes = Array.from({ length: 128 }, (_, code) => code);

  for (const kind of kinds) {
    it(`of the kind "${kind.name}" ${kind.promise === 'works' ? 'is made again' : 'gives right data or a clear error'}`, () => {
      for (const damage of damages) {
        if (kind.small && damage.largeOnly) continue;
        using space = new Workspace();
        copy(`${original}/.`, space.path);
        const files = globSync(kind.glob, { cwd: space.path });
        assert.ok(files.length > 0, `no file matches ${kind.glob}`);
        for (const file of files) damage.apply(join(space.path, file));
        const title = `${kind.name}, ${damage.name}`;
        const read = restore(space, 'two');
        const written = space.alcove(['create', `${space.join('repo')}::three`, 'tree'], { accept: codes });
        if (written.status <= 1) restore(space, 'three');
        for (const outcome of [read, written]) {
          if (outcome.status !== 0) assertClear(outcome, title);
          if (kind.promise === 'works') assert.equal(outcome.status, 0, `${title}: ${outcome.stderr}`);
        }
      }
    });
  }
});
