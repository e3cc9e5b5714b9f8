import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Workspace, type Outcome, type Program } from '../workspace.ts';

const space = new Workspace();
const repository = space.join('repo');
const config = () => readFileSync(`${repository}/config`, 'utf8');

before(() => {
  space.borg(['init', '--encryption', 'authenticated', repository]);
  for (const name of ['a', 'b']) space.alcove(['create', `${repository}::${name}`, 'repo/README']);
});
after(() => space[Symbol.dispose]());

function run(program: Program, args: readonly string[]): Outcome {
  return program(['config', ...args], { accept: [0, 2, 4] });
}

describe('config', () => {
  const same: readonly (readonly string[])[] = [
    ['--list', repository],
    [repository, 'append_only'],
    [repository, 'repository.STORAGE_QUOTA'],
    [repository, 'foo'],
    [repository, 'a.b.c'],
    [repository, 'nowhere.id'],
    [repository, 'last_segment_checked'],
    [repository],
    ['--cache', repository, 'previous_location'],
    ['-c', repository, 'repository.id'],
  ];
  for (const args of same) {
    it(`says the same as Borg to ${args.join(' ').replace(repository, 'REPOSITORY')}`, () => {
      assert.deepEqual(run(space.alcove, args), run(space.borg, args));
    });
  }

  const changes: readonly (readonly string[])[] = [
    ['storage_quota', '20M'],
    ['repository.additional_free_space', '1.5G'],
    ['last_segment_checked', '7'],
    ['id', 'aB'.repeat(32)],
    ['append_only', '1'],
  ];
  for (const [name, value] of changes) {
    it(`sets ${name} to ${value} as Borg does`, () => {
      const before = config();
      assert.equal(run(space.alcove, [repository, name!, value!]).status, 0);
      const byAlcove = config();
      assert.notEqual(byAlcove, before);
      writeFileSync(`${repository}/config`, before);
      assert.equal(run(space.borg, [repository, name!, value!]).status, 0);
      assert.equal(byAlcove, config());
    });
  }

  it('deletes values as Borg does', () => {
    for (const name of ['last_segment_checked', 'storage_quota', 'additional_free_space']) {
      const before = config();
      run(space.alcove, ['--delete', repository, name]);
      const byAlcove = config();
      writeFileSync(`${repository}/config`, before);
      run(space.borg, ['-d', repository, name]);
      assert.equal(byAlcove, config());
    }
    // Borg says "False" for these; what holds is no limit.
    assert.match(
      run(space.alcove, ['-l', repository]).stdout,
      /\nstorage_quota = 0\nadditional_free_space = 0\n/,
    );
  });

  it('changes where the cache says that the repository was', () => {
    const path = space.join('elsewhere');
    mkdirSync(path);
    run(space.alcove, ['--cache', repository, 'previous_location', path]);
    const { stderr } = run(space.borg, ['--cache', repository, 'previous_location']);
    assert.ok(stderr.includes(`was previously located at ${path}\n`), stderr);
    run(space.alcove, ['--cache', '--delete', repository, 'cache.previous_location']);
    assert.doesNotMatch(run(space.borg, ['--cache', repository, 'previous_location']).stderr, /previously/);
  });

  const refused: readonly (readonly [args: readonly string[], why: RegExp])[] = [
    [[repository, 'key', 'x'], /^Error: Invalid name: key\n/],
    [[repository, 'version', '2'], /^Error: Invalid name: version\n/],
    [[repository, 'STORAGE_QUOTA', '20M'], /^Error: Invalid name: STORAGE_QUOTA\n/],
    [[repository, 'elsewhere.id', '2'], /^Error: Invalid section: elsewhere\n/],
    [
      [repository, 'storage_quota', '1M'],
      /^Error: Invalid value for storage_quota: "1M": storage_quota < 10M\n/,
    ],
    [[repository, 'additional_free_space', '9999999'], /additional_free_space < 10M\n/],
    [[repository, 'max_segment_size', '4294967295'], /max_segment_size >= 4273995776\n/],
    [[repository, 'append_only', 'yes'], /neither 0 nor 1\n/],
    [[repository, 'segments_per_dir', 'many'], /not a number\n/],
    [[repository, 'id', 'abc'], /not 64 hex digits\n/],
    [['-c', repository, 'previous_location', 'ssh://'], /^Error: /],
    [['-c', repository, 'manifest', '00'], /^Error: Invalid name: manifest\n/],
    [['--delete', repository, 'key'], /^Error: Invalid name: key\n/],
  ];
  for (const [args, why] of refused) {
    it(`refuses ${args.join(' ').replace(repository, 'REPOSITORY')}`, () => {
      const before = config();
      const { status, stderr } = run(space.alcove, args);
      assert.match(stderr, why);
      assert.equal(status, 2);
      assert.equal(config(), before);
    });
  }

  const harmful: readonly (readonly [args: readonly string[], why: RegExp])[] = [
    [[repository, 'segments_per_dir', '2'], /segment 2 would not be found/],
    [[repository, 'segments_per_dir', '0'], /could not be opened any more: segments_per_dir is 0\n/],
    [[repository, 'max_segment_size', '-1'], /could not be opened any more: max_segment_size is negative\n/],
    [
      ['--delete', repository, 'segments_per_dir'],
      /could not be opened any more: no segments_per_dir found\n/,
    ],
    [['--delete', repository, 'id'], /could not be opened any more: no id found\n/],
  ];
  for (const [args, why] of harmful) {
    it(`refuses ${args.join(' ').replace(repository, 'REPOSITORY')}, which would break the repository`, () => {
      const before = config();
      const { status, stderr } = run(space.alcove, args);
      assert.match(stderr, why);
      assert.equal(status, 2);
      assert.equal(config(), before);
    });
  }

  it('does not change the id of an encrypted repository', () => {
    const encrypted = space.join('encrypted');
    space.alcove(['init', '--encryption', 'repokey', encrypted]);
    const { status, stderr } = run(space.alcove, [encrypted, 'id', '11'.repeat(32)]);
    assert.match(stderr, /^Error: The id of an encrypted repository is not changed/);
    assert.equal(status, 2);
  });
});
