/**
 * A damaged file of the client's cache, met by both programs: afterwards both count the same chunks as without damage,
 * wherever Borg gets through; where it does not, alcove builds the cache anew.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { noise } from '../noise.ts';
import { Workspace, type Program } from '../workspace.ts';

type Damage = (path: string) => void;

const flip: Damage = (path) => {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 4;
  writeFileSync(path, bytes);
};
const empty: Damage = (path) => writeFileSync(path, '');
const garbage: Damage = (path) => writeFileSync(path, noise(statSync(path).size, 9));

interface Row {
  readonly name: string;
  readonly damage: Damage;
  readonly what: string;
  /** Borg ends with an error. */
  readonly borgFails?: true;
}

const rows: readonly Row[] = [
  { name: 'config', what: 'garbage', damage: garbage, borgFails: true },
  { name: 'config', what: 'missing', damage: (path) => rmSync(path), borgFails: true },
  { name: 'chunks', what: 'with a flipped bit', damage: flip },
  { name: 'chunks', what: 'empty', damage: empty, borgFails: true },
  { name: 'chunks', what: 'missing', damage: (path) => rmSync(path) },
  { name: 'files', what: 'with a flipped bit', damage: flip },
];

describe('a damaged cache', () => {
  const space = new Workspace();
  const model = space.join('model');
  const live = space.join('live');
  const inLive = (program: Program): Program => {
    const env = { BORG_BASE_DIR: join(live, 'home'), HOME: join(live, 'home') };
    return (args, options = {}) => program(args, { ...options, cwd: live, env });
  };
  const restore = (): void => {
    rmSync(live, { recursive: true, force: true });
    execFileSync('cp', ['-a', model, live]);
  };

  mkdirSync(join(live, 'tree'), { recursive: true });
  writeFileSync(join(live, 'tree', 'a'), noise(700_000, 1));
  writeFileSync(join(live, 'tree', 'b'), noise(5000, 2));
  inLive(space.borg)(['init', '-e', 'none', 'repo']);
  for (const name of ['one', 'two']) inLive(space.borg)(['create', `repo::${name}`, 'tree']);
  execFileSync('cp', ['-a', live, model]);

  const counts = (program: Program): unknown => {
    const { stdout } = inLive(program)(['info', '--json', 'repo']);
    return (JSON.parse(stdout) as { cache: { stats: unknown } }).cache.stats;
  };
  const run = (program: Program, row: Row): { status: number; stats: unknown; stderr: string } => {
    restore();
    const [file] = globSync(`home/.cache/borg/*/${row.name}`, { cwd: live });
    row.damage(join(live, file!));
    const anyCode = Array.from({ length: 120 }, (_, code) => code);
    const { status, stderr } = inLive(program)(['delete', 'repo::one'], { accept: anyCode });
    if (status > 1) return { status, stats: undefined, stderr };
    // What is there now, counted anew.
    const stats = counts(program);
    inLive(space.borg)(['delete', '--cache-only', 'repo']);
    assert.deepEqual(counts(space.borg), stats, `${row.name}: the cache counted wrong`);
    inLive(space.borg)(['check', '--verify-data', 'repo']);
    return { status, stats, stderr };
  };

  for (const row of rows) {
    it(`whose ${row.name} is ${row.what} ${row.borgFails ? 'stops Borg, and not alcove' : 'is mended by both'}`, () => {
      const theirs = run(space.borg, row);
      const ours = run(space.alcove, row);
      assert.equal(ours.status, 0, ours.stderr);
      assert.equal(theirs.status > 1, row.borgFails === true, theirs.stderr);
      if (row.borgFails !== true) assert.deepEqual(ours.stats, theirs.stats);
    });
  }

  it('is emptied by delete --cache-only, and by nothing else of it', () => {
    for (const [first, second] of [
      [space.alcove, space.borg],
      [space.borg, space.alcove],
    ] as const) {
      restore();
      inLive(first)(['delete', '--cache-only', 'repo']);
      assert.deepEqual(globSync('home/.cache/borg/[0-9a-f]*', { cwd: live }), []);
      assert.equal(inLive(second)(['list', '--short', 'repo']).stdout, 'one\ntwo\n');
      inLive(second)(['create', 'repo::three', 'tree']);
      assert.deepEqual(counts(first), counts(second));
    }
    space[Symbol.dispose]();
  });
});
