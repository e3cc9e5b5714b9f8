import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandNames } from '../../src/cli/command-table.ts';
import { helpText } from '../../src/cli/help/help-text.ts';
import { topics } from '../../src/cli/help/topic-list.ts';
import { commandArguments, nameProgram, programName } from '../../src/cli/program-name.ts';

describe('programName()', () => {
  it('is borg by the name of the program or of a link', () => {
    assert.equal(programName(['node', '/usr/bin/borg'], {}), 'borg');
    assert.equal(programName(['borg', undefined], {}), 'borg');
    assert.equal(programName(['node', '/usr/bin/borgfs'], {}), 'borg');
    assert.equal(programName(['node', '/a/bin/borg.js'], {}), 'borg');
    assert.equal(programName(['node', '/home/borg/bin/alcove.js'], {}), 'alcove');
    assert.equal(programName([undefined], {}), 'alcove');
  });

  it('is borg by the environment', () => {
    assert.equal(programName(['alcove'], { ALCOVE_AS_BORG: '1' }), 'borg');
    assert.equal(programName(['alcove'], { ALCOVE_AS_BORG: '' }), 'alcove');
  });
});

describe('commandArguments()', () => {
  const borgfs = ['node', '/sbin/borgfs'];

  it('makes what borgfs is given that of mount', () => {
    assert.deepEqual(commandArguments(['repo', '/mnt', '-o', 'ro'], borgfs), [
      'mount',
      'repo',
      '/mnt',
      '-o',
      'ro',
    ]);
    assert.deepEqual(commandArguments(['-h'], ['node', 'borgfs.js']), ['mount', '-h']);
    assert.deepEqual(commandArguments(['-V'], borgfs), ['-V']);
  });

  it('leaves what other names are given', () => {
    assert.deepEqual(commandArguments(['repo', '/mnt'], ['node', '/usr/bin/borg']), ['repo', '/mnt']);
  });
});

describe('nameProgram()', () => {
  it('replaces the name in command lines alone', () => {
    assert.equal(nameProgram('"alcove list REPO", alcove --help', 'borg'), '"borg list REPO", borg --help');
    assert.equal(nameProgram("alcove's own; ~/alcove-key", 'borg'), "alcove's own; ~/alcove-key");
    assert.equal(nameProgram('alcove list', 'alcove'), 'alcove list');
  });

  it('leaves no other name in the help', async () => {
    for (const name of ['', 'key', ...commandNames(), ...topics.map((topic) => topic.name)]) {
      const text = (await helpText(name, { program: 'borg' }))!;
      assert.doesNotMatch(text, /\balcove (?:<|\[|-|[a-z])/, name);
    }
  });
});
