/** What only the key can tell: a server that gives wrong data, old data, or a repository that is another one. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { quoteShellWord } from '../../src/util/shell-quote.ts';
import { Workspace, type Outcome } from '../workspace.ts';
import { ALCOVE_SERVER } from './remote-place.ts';

const evil = fileURLToPath(new URL('evil-server.ts', import.meta.url));
const space = new Workspace({
  BORG_RSH: `${quoteShellWord(process.execPath)} ${quoteShellWord(evil)}`,
  BORG_REMOTE_PATH: ALCOVE_SERVER,
  BORG_EXIT_CODES: 'modern',
});
const repository = `ssh://host${space.join('repository')}`;
const replay = space.join('manifest');
after(() => space[Symbol.dispose]());

const ANY = Array.from({ length: 120 }, (_, code) => code);

function run(attack: string, ...args: string[]): Outcome {
  return space.alcove(args, { env: { EVIL: attack, EVIL_FILE: replay }, accept: ANY });
}

function succeed(...args: string[]): void {
  const { status, stderr } = run('nothing', ...args);
  assert.equal(status, 0, stderr);
}

before(() => {
  mkdirSync(space.join('files'));
  for (let number = 0; number < 5; number++) {
    writeFileSync(space.join('files', String(number)), `contents of file ${number} `.repeat(100));
  }
  succeed('init', '--encryption', 'repokey', repository);
  succeed('create', `${repository}::one`, 'files');
});

describe('a session with a server that lies', () => {
  for (const attack of ['damaged object', 'truncated object']) {
    it(`refuses: ${attack}`, () => {
      const { status, stderr } = run(attack, 'extract', `${repository}::one`);
      assert.equal(status, 90, stderr);
      assert.match(stderr, /integrity error/i);
    });
  }

  it('refuses an object in place of another', () => {
    mkdirSync(space.join('out'));
    const options = { cwd: space.join('out'), env: { EVIL: 'another object' }, accept: ANY };
    const { status, stderr } = space.alcove(['extract', `${repository}::one`], options);
    assert.notEqual(status, 0, stderr);
    assert.match(stderr, /integrity error/i);
    const extracted = readdirSync(space.join('out'), { recursive: true, withFileTypes: true });
    for (const file of extracted.filter((entry) => entry.isFile())) {
      const text = readFileSync(`${file.parentPath}/${file.name}`, 'utf8');
      assert.ok(text === '' || text.startsWith(`contents of file ${file.name} `), `${file.name}: ${text}`);
    }
  });

  it('refuses an old manifest', () => {
    assert.equal(run('old manifest', 'list', repository).status, 0);
    succeed('create', `${repository}::two`, 'files/1');
    const { status, stderr } = run('old manifest', 'list', repository);
    assert.equal(status, 64, stderr);
  });

  it('uses no nonce again where the server says that none was used', () => {
    const { status, stderr } = run('lowered nonce', 'create', `${repository}::three`, 'files/2');
    assert.match(stderr, /fewer nonces were used|mismatched previous state/);
    // The real server behind it refuses what builds on the lie.
    assert.notEqual(status, 0);
    succeed('create', `${repository}::three`, 'files/2');
  });

  it('asks where the repository has another id than its key says', () => {
    const { status, stderr } = run('another id', 'list', repository);
    assert.equal(status, 62, stderr);
    assert.match(stderr, /the server says that this is 0707/);
    const env = { EVIL: 'another id', ALCOVE_CHANGED_REPO_ID_IS_OK: 'yes' };
    space.alcove(['list', repository], { env });
  });
});
