/** Exit codes, old and modern, of what is wrong with a repository, its locks, keys, caches and what was seen of it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { noise } from '../noise.ts';
import { Workspace, type Program } from '../workspace.ts';

interface State {
  /** What is wrong. */
  readonly title: string;
  /** Makes it so, in a folder with a repository `repo` (repokey, archives a and b) and a home. */
  readonly spoil: (folder: string, borg: Program) => void;
  readonly args: string;
  readonly env?: Record<string, string>;
  /** The modern code. */
  readonly code: number;
}

const config = (folder: string) => join(folder, 'repo/config');

function editConfig(folder: string, from: RegExp, to: string): void {
  const text = readFileSync(config(folder), 'utf8');
  assert.match(text, from);
  writeFileSync(config(folder), text.replace(from, to));
}

/** The only folder below a folder of the home that is named by an id. */
function ofRepository(folder: string, below: string): string {
  const path = join(folder, 'home', below);
  return join(
    path,
    readdirSync(path).find((name) => /^[0-9a-f]{64}$/.test(name))!,
  );
}

/** A lock that another machine holds. */
function lockElsewhere(folder: string): void {
  mkdirSync(join(folder, 'repo/lock.exclusive'));
  writeFileSync(join(folder, 'repo/lock.exclusive', `elsewhere@123456.4242-0`), '');
}

const ask = 'BORG_RELOCATED_REPO_ACCESS_IS_OK';

const states: readonly State[] = [
  { title: 'a lock of another machine', spoil: lockElsewhere, args: 'create REPO::new tree', code: 73 },
  { title: 'a lock of another machine, for a reader', spoil: lockElsewhere, args: 'list REPO', code: 73 },
  {
    title: 'no key in the config',
    spoil: (folder) => editConfig(folder, /^key = [\s\S]*/m, '\n'),
    args: 'list REPO',
    code: 44,
  },
  {
    title: 'a key that is not whole',
    spoil: (folder) => editConfig(folder, /^key = [\s\S]*/m, 'key = AAAA\n\n'),
    args: 'list REPO',
    env: { BORG_PASSPHRASE: 'workspace' },
    code: 40,
  },
  {
    title: 'a wrong passphrase',
    spoil: () => {},
    args: 'list REPO',
    env: { BORG_PASSPHRASE: 'wrong' },
    code: 52,
  },
  {
    title: 'a repository that was moved, and a user who says no',
    spoil: (folder) => renameSync(join(folder, 'repo'), join(folder, 'moved')),
    args: 'info OWN/moved',
    env: { [ask]: 'no' },
    code: 62,
  },
  {
    title: 'a repository put back in time',
    spoil: (folder, borg) => {
      cpSync(join(folder, 'repo'), join(folder, 'old'), { recursive: true });
      borg(['delete', `${folder}/repo::b`]);
      rmSync(join(folder, 'repo'), { recursive: true });
      renameSync(join(folder, 'old'), join(folder, 'repo'));
    },
    args: 'create REPO::new tree',
    code: 64,
  },
  {
    title: 'another key than before',
    spoil: (folder) => writeFileSync(join(ofRepository(folder, '.config/borg/security'), 'key-type'), '2'),
    args: 'create REPO::new tree',
    code: 61,
  },
  {
    title: 'a quota that is used up',
    spoil: (folder) => editConfig(folder, /^storage_quota = .*/m, 'storage_quota = 1000'),
    args: 'create REPO::new tree',
    code: 20,
  },
  {
    title: 'too little free space',
    spoil: (folder) => editConfig(folder, /^additional_free_space = .*/m, 'additional_free_space = 900T'),
    args: 'create REPO::new tree',
    code: 14,
  },
  {
    title: 'a config of another version',
    spoil: (folder) => editConfig(folder, /^version = .*/m, 'version = 2'),
    args: 'list REPO',
    code: 16,
  },
  {
    title: 'no manifest',
    spoil: (folder, borg) =>
      void borg(['debug', 'delete-obj', `${folder}/repo`, '0'.repeat(64)], { accept: [0, 1] }),
    args: 'list REPO',
    code: 26,
  },
  {
    title: 'damaged data',
    spoil: (folder) => {
      for (const name of readdirSync(join(folder, 'repo/data/0'))) {
        const path = join(folder, 'repo/data/0', name);
        const bytes = readFileSync(path);
        if (bytes.length < 1_000_000) continue;
        bytes[500_000]! ^= 1;
        writeFileSync(path, bytes);
      }
    },
    args: 'extract -n REPO::a',
    code: 90,
  },
  {
    title: 'a missing archive',
    spoil: () => {},
    args: 'extract REPO::none',
    code: 31,
  },
  {
    title: 'an archive that is there already',
    spoil: () => {},
    args: 'create REPO::a tree',
    code: 30,
  },
];

describe('exit codes of states', () => {
  const space = new Workspace();
  const template = space.join('template');
  before(() => {
    mkdirSync(space.join('tree'));
    writeFileSync(space.join('tree/noise'), noise(2_000_000, 1));
    // The program that made the repository says where it is; so it is made where the copies will stand.
    const home = { env: { BORG_BASE_DIR: join(space.path, 'at/home') } };
    mkdirSync(space.join('at'));
    space.borg(['init', '-e', 'repokey', space.join('at/repo')], home);
    for (const name of ['a', 'b']) space.borg(['create', `${space.join('at/repo')}::${name}`, 'tree'], home);
    renameSync(space.join('at'), template);
  });
  after(() => space[Symbol.dispose]());

  /** What becomes of the state under one program and numbering, in a fresh copy. */
  function codeOf(state: State, side: 'alcove' | 'borg', numbering: string): number {
    const folder = space.join('at');
    rmSync(folder, { recursive: true, force: true });
    cpSync(template, folder, { recursive: true, preserveTimestamps: true });
    const env = { BORG_BASE_DIR: join(folder, 'home') };
    const borg: Program = (args, options) => space.borg(args, { ...options, env });
    state.spoil(folder, borg);
    const args = state.args
      .split(' ')
      .map((word) => word.replace('REPO', join(folder, 'repo')).replace('OWN', folder));
    const accept = Array.from({ length: 128 }, (_, code) => code);
    const given = { ...env, BORG_EXIT_CODES: numbering, ...state.env };
    return space[side](args, { env: given, accept }).status;
  }

  for (const state of states) {
    it(`${state.title}: ${state.args} ends with ${state.code} in both programs, or by default with 2`, () => {
      assert.deepEqual(
        {
          borg: codeOf(state, 'borg', 'modern'),
          alcove: codeOf(state, 'alcove', 'modern'),
          legacy: codeOf(state, 'alcove', 'legacy'),
        },
        { borg: state.code, alcove: state.code, legacy: 2 },
      );
    });
  }
});
