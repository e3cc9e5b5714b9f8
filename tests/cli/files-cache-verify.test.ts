import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Workspace } from '../workspace.ts';

/** A backed up tree, of which one file has changed without its size and time. */
function withRottenFile(test: (space: Workspace, create: (...args: string[]) => string[]) => void): void {
  using space = new Workspace({ BORG_EXIT_CODES: 'modern' });
  mkdirSync(space.join('tree'));
  const old = (name: string, text: string): void => {
    writeFileSync(space.join('tree', name), text);
    utimesSync(space.join('tree', name), 1_700_000_000, 1_700_000_000);
  };
  old('rotten', 'before');
  old('sound', 'the same');
  writeFileSync(space.join('tree', 'newest'), '');
  const repository = space.join('repo');
  space.alcove(['init', '--encryption', 'none', repository]);
  let number = 0;
  const create = (...args: string[]): string[] => {
    return ['create', '--files-cache', 'mtime,size,inode', ...args, `${repository}::${number++}`, 'tree'];
  };
  space.alcove(create());
  old('rotten', 'after.');
  test(space, create);
}

describe('create --files-cache-verify', () => {
  it('warns by a message and an exit code of its own, lists the file as modified, and counts', () =>
    withRottenFile((space, create) => {
      const args = create('--list', '--stats', '--files-cache-verify', '100');
      const { stderr } = space.alcove(args, { accept: [120] });
      assert.match(stderr, /^M tree\/rotten$/m);
      assert.match(stderr, /^U tree\/sound$/m);
      assert.match(stderr, /^tree\/rotten: contents differ from what was backed up before/m);
      assert.match(stderr, /^Number of unchanged files verified: 2 \(contents changed: 1, unreadable: 0\)$/m);
      space.alcove(['extract', `${space.join('repo')}::1`], { cwd: space.join('home') });
      assert.equal(readFileSync(space.join('home/tree/rotten'), 'utf8'), 'after.');
      space.alcove(['extract', `${space.join('repo')}::0`], { cwd: space.join('home') });
      assert.equal(readFileSync(space.join('home/tree/rotten'), 'utf8'), 'before');
    }));

  it('is set by the environment too, and says all as JSON', () =>
    withRottenFile((space, create) => {
      const env = { ALCOVE_FILES_CACHE_VERIFY: '100%', BORG_EXIT_CODES: 'legacy' };
      const { stdout, stderr } = space.alcove(create('--json', '--log-json'), { env, accept: [1] });
      const { archive } = JSON.parse(stdout) as { archive: Record<string, unknown> };
      assert.deepEqual(archive['files_cache_verified'], { files: 2, changed: 1, unreadable: 0 });
      const { msgid, levelname } = JSON.parse(stderr) as Record<string, unknown>;
      assert.deepEqual([msgid, levelname], ['FileContentsWarning', 'WARNING']);
    }));

  it('does nothing with --dry-run, and by default', () =>
    withRottenFile((space, create) => {
      const { stderr } = space.alcove(create('--dry-run', '--list', '--files-cache-verify', '100'));
      assert.match(stderr, /^- tree\/rotten$/m);
      const { stdout } = space.alcove(create('--json'));
      assert.doesNotMatch(stdout, /verified/);
    }));

  it('refuses what is no percentage, and leaves abbreviations of Borg alone', () =>
    withRottenFile((space, create) => {
      for (const text of ['101', '-1', 'half', '']) {
        const { stderr } = space.alcove(create(`--files-cache-verify=${text}`), { accept: [2] });
        assert.match(stderr, /a percentage from 0 to 100 is required/);
      }
      const env = { ALCOVE_FILES_CACHE_VERIFY: 'half' };
      const { stderr } = space.alcove(create(), { env, accept: [2] });
      assert.match(
        stderr,
        /\(from ALCOVE_FILES_CACHE_VERIFY\): a percentage from 0 to 100 is required: half/,
      );
      const [command = '', , mode = '', ...rest] = create();
      space.alcove([command, '--files-cac', mode, ...rest]);
    }));
});
