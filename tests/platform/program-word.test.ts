import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { programWord } from '../../src/platform/program-word.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'alcove-program-')));
after(() => rmSync(home, { recursive: true }));

const script = join(home, "it's here", 'alcove.js');
mkdirSync(join(home, "it's here"));
writeFileSync(script, '');
chmodSync(script, 0o755);
for (const folder of ['bin', 'node_modules/.bin']) {
  mkdirSync(join(home, folder), { recursive: true });
  symlinkSync(script, join(home, folder, 'alcove'));
}
const whole = `'${script.replace("'", `'"'"'`)}'`;

describe('programWord()', () => {
  it('is the name where the search path leads to the program', () => {
    assert.equal(programWord(join(home, 'bin/alcove'), `/nowhere:${home}/bin`), 'alcove');
  });

  it('is the whole path where only npm put the program on the search path', () => {
    assert.equal(programWord(script, `${home}/node_modules/.bin:/nowhere`), whole);
  });

  it('is the whole path where the name leads to another program', () => {
    mkdirSync(join(home, 'other'));
    writeFileSync(join(home, 'other/alcove'), '');
    assert.equal(programWord(script, `${home}/other:${home}/bin`), whole);
  });

  it('prefers the command beside the script', () => {
    writeFileSync(join(home, 'entry'), '');
    chmodSync(join(home, 'entry'), 0o755);
    writeFileSync(join(home, 'entry.js'), '');
    assert.equal(programWord(join(home, 'entry.js')), join(home, 'entry'));
  });

  it('starts a file that is not executable by node', () => {
    const source = join(home, 'entry.ts');
    writeFileSync(source, '');
    assert.equal(programWord(source), `node ${source}`);
  });
});
