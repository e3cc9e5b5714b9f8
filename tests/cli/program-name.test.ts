import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandNames } from '../../src/cli/command-table.ts';
import { helpText } from '../../src/cli/help/help-text.ts';
import { topics } from '../../src/cli/help/topic-list.ts';
import { nameProgram, programName } from '../../src/cli/program-name.ts';

describe('programName()', () => {
  it('is borg by the name of the program or of a link', () => {
    assert.equal(programName(['node', '/usr/bin/borg'], {}), 'borg');
    assert.equal(programName(['borg', undefined], {}), 'borg');
    assert.equal(programName(['node', '/a/bin/borg.js'], {}), 'borg');
    assert.equal(programName(['node', '/home/borg/bin/alcove.js'], {}), 'alcove');
    assert.equal(programName([undefined], {}), 'alcove');
  });

  it('is borg by the environment', () => {
    assert.equal(programName(['alcove'], { ALCOVE_AS_BORG: '1' }), 'borg');
    assert.equal(programName(['alcove'], { ALCOVE_AS_BORG: '' }), 'alcove');
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
