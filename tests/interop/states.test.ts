/** Exit codes, old and modern, of what is wrong with a repository, its locks, keys, caches and what was seen of it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { noise } from '../noise.ts';
import { Workspace } from '../workspace.ts';
import { states, unprovoked, type State } from './state-rows.ts';
import { PASSPHRASE } from './surgery.ts';

describe('exit codes of states', () => {
  const space = new Workspace({ BORG_PASSPHRASE: PASSPHRASE });
  const template = space.join('template');
  const spoilt = space.join('spoilt');
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

  const folder = space.join('at');
  const placed = (word: string) => word.replace('REPO', join(folder, 'repo')).replace('OWN', folder);
  const copyOf = (from: string) => {
    rmSync(folder, { recursive: true, force: true });
    cpSync(from, folder, { recursive: true, preserveTimestamps: true });
  };

  /** Makes the state, to be copied. */
  async function spoil(state: State): Promise<void> {
    copyOf(template);
    const env = { BORG_BASE_DIR: join(folder, 'home') };
    await state.spoil(folder, (args, options) =>
      space.borg(args, { ...options, env: { ...env, ...options?.env } }),
    );
    rmSync(spoilt, { recursive: true, force: true });
    renameSync(folder, spoilt);
  }

  /** The code under one program and numbering. */
  function codeOf(state: State, side: 'alcove' | 'borg', numbering: string): number {
    copyOf(spoilt);
    const env = { BORG_BASE_DIR: join(folder, 'home') };
    const args = state.args.split(' ').map(placed);
    const own = Object.entries(state.env ?? {}).map(([name, value]) => [name, placed(value)]);
    const accept = Array.from({ length: 128 }, (_, code) => code);
    const given = { ...env, BORG_EXIT_CODES: numbering, ...Object.fromEntries(own) };
    return space[side](args, { env: given, accept }).status;
  }

  for (const state of states) {
    it(`${state.title}: ${state.args} ends with ${state.code} in both programs, or by default with ${state.code < 100 ? 2 : 1}`, async () => {
      await spoil(state);
      assert.deepEqual(
        {
          borg: codeOf(state, 'borg', 'modern'),
          alcove: codeOf(state, 'alcove', 'modern'),
          legacy: codeOf(state, 'alcove', 'legacy'),
        },
        { borg: state.code, alcove: state.code, legacy: state.code < 100 ? 2 : 1 },
      );
    });
  }
});

describe('each error and warning of Borg', () => {
  it('is provoked here, or there is a reason why not', () => {
    const rows = JSON.parse(
      readFileSync(new URL('../vectors/conditions.json', import.meta.url), 'utf8'),
    ) as readonly { msgid: string; exitCode: number }[];
    const codes = new Set(states.map((state) => state.code));
    const without = rows.filter(({ exitCode }) => !codes.has(exitCode)).map(({ msgid }) => msgid);
    assert.deepEqual(without.toSorted(), Object.keys(unprovoked).toSorted());
  });
});
