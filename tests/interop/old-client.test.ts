/** A client of Borg 1.2, as Debian 12 has it, at this project's server. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { it } from 'node:test';
import { noise } from '../noise.ts';
import { ALCOVE_SERVER, FAKE_SSH } from '../remote/remote-place.ts';
import { Workspace } from '../workspace.ts';

const client = [process.env['ALCOVE_OLD_BORG'], 'borg'].find(
  (command) =>
    command && /^borg 1\.[12]\./.test(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout),
);
const skip = client === undefined && 'there is no Borg 1.1 or 1.2: set ALCOVE_OLD_BORG to the path of one';

it('a client of an older Borg is served from init to delete', { skip }, () => {
  using space = new Workspace({ BORG_RSH: FAKE_SSH, BORG_REMOTE_PATH: ALCOVE_SERVER });
  const local = space.join('repo');
  const remote = `ssh://host${local}`;
  const old = (...args: string[]): string => {
    const outcome = spawnSync(client!, ['--lock-wait', '60', ...args], {
      cwd: space.path,
      env: space.env,
      encoding: 'utf8',
      input: '',
    });
    assert.equal(outcome.status, 0, `${args.join(' ')}\n${outcome.stderr}`);
    return outcome.stdout;
  };
  mkdirSync(space.join('tree'));
  writeFileSync(space.join('tree/noise'), noise(3_000_000, 1));
  old('init', '--encryption', 'repokey-blake2', remote);
  old('create', `${remote}::first`, 'tree');
  writeFileSync(space.join('tree/more'), noise(1_000_000, 2));
  old('create', `${remote}::second`, 'tree');
  assert.equal(old('list', '--short', remote), 'first\nsecond\n');
  writeFileSync(space.join('saved'), readFileSync(space.join('tree/more')));
  writeFileSync(space.join('tree/more'), '');
  old('extract', `${remote}::second`);
  assert.ok(readFileSync(space.join('tree/more')).equals(readFileSync(space.join('saved'))));
  old('check', '--verify-data', remote);
  old('prune', '--keep-last', '1', remote);
  old('compact', remote);
  assert.equal(old('list', '--short', remote), 'second\n');
  old('check', remote);
  space.alcove(['check', '--repository-only', local]);
  old('break-lock', remote);
  old('delete', remote);
});
