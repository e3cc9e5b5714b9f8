/** borgmatic runs alcove in Borg's place: it says the same, and leaves the same behind. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { listTree } from '../tree-listing.ts';
import { comparable } from './comparable.ts';
import { Twins, type Side, type TwinOutcome } from './twins.ts';

const version = spawnSync('borgmatic', ['--version'], { encoding: 'utf8' });
const skip = version.error === undefined ? false : 'borgmatic is missing: apt-get install borgmatic';
/** By this name alcove says that it is the Borg whose behaviour it has: front ends ask for the version. */
const borgCommand = fileURLToPath(new URL('../../bin/borg.js', import.meta.url));
const sides: readonly Side[] = ['alcove', 'borg'];

/** Settings by section, as borgmatic had them before 1.8. */
const settings = (twins: Twins, side: Side): Record<string, Record<string, unknown>> => {
  const own = twins.folder(side);
  return {
    location: {
      repositories: [join(own, 'repo')],
      local_path: join(own, side),
      borgmatic_source_directory: join(own, 'borgmatic'),
      patterns: [`R ${twins.shared}/tree`, '- sh:**/*.o', `- ${twins.shared}/tree/skipped`, '+ sh:**/kept'],
      exclude_caches: true,
      exclude_if_present: ['.nobackup'],
      keep_exclude_tags: true,
      files_cache: 'mtime,size',
      atime: false,
      numeric_ids: true,
      flags: false,
    },
    storage: {
      encryption_passphrase: 'borgmatic',
      compression: 'auto,zstd,5',
      checkpoint_interval: 600,
      chunker_params: '14,20,16,4095',
      archive_name_format: 'host-one',
      borg_base_directory: join(own, 'home'),
      relocated_repo_access_is_ok: true,
      lock_wait: 5,
      umask: 77,
      extra_borg_options: { create: '--comment made', prune: '--save-space' },
    },
    retention: { keep_secondly: 2, prefix: 'host-' },
    consistency: {
      checks: [{ name: 'repository' }, { name: 'archives' }, { name: 'extract' }, { name: 'data' }],
      prefix: 'host-',
    },
    output: { color: false },
  };
};

const named = (name: string) => `--override storage.archive_name_format=host-${name}`;

/** REPO, OWN and OTHER stand for the side's repository, its folder, and the other program. */
const steps: readonly string[] = [
  'init -e repokey',
  `create --dry-run ${named('dry')}`,
  'create --list --stats',
  `create --stats -v 1 ${named('two')}`,
  `create --json ${named('three')}`,
  `create ${named('two')}`,
  'list',
  'list --json',
  'rlist --prefix host-t',
  'list --archive host-one',
  'list --archive latest --json',
  'list --find tree/a',
  'info --json',
  'rinfo',
  'info --archive host-one',
  'info --archive latest --json',
  'extract --archive host-one --destination OWN/out -v 1',
  'extract --archive host-one --destination OWN/part --path none',
  'export-tar --archive host-one --destination OWN/one.tar --strip-components 2',
  'check -v 1',
  'prune --dry-run --list',
  'prune --list --stats',
  'compact -v 1',
  'break-lock',
  'borg --archive host-two list --format {path}{NL}',
  `create --override location.local_path=OTHER ${named('other')} --list`,
  'check --only archives --force -v 1 --override location.local_path=OTHER',
  'info --archive host-other',
  'extract --archive host-other --destination OWN/other',
];

describe('borgmatic', { skip }, () => {
  const twins = new Twins();
  before(() => setUp(twins));
  after(() => twins[Symbol.dispose]());

  for (const step of steps) {
    it(`${step}: says the same of both programs`, async () => {
      const [alcove, borg] = await Promise.all(sides.map((side) => runStep(twins, side, step)));
      const options = { folders: sides.map((side) => twins.folder(side)), ownArchives: true };
      const [ours, theirs] = [alcove!, borg!].map((outcome) => comparable(outcome, options));
      assert.deepEqual(ours, theirs);
    });
  }

  it('brings back the same trees', () => {
    for (const folder of ['out', 'other']) {
      const [alcove, borg] = sides.map((side) =>
        listTree(join(twins.folder(side), folder, twins.shared, 'tree')),
      );
      assert.deepEqual(alcove, borg);
    }
  });
});

/**
 * Without names of temporary files, sizes that contain the length of a command line, advice about a new key, and the
 * order of what borgmatic keeps: each side has its own, and files come in the order of their inodes.
 */
function withoutChance(text: string): string {
  return text
    .replaceAll(/(?:^\w \/.*\/borgmatic\/.*\n)+/gm, (lines) =>
      lines
        .split(/(?<=\n)/)
        .toSorted()
        .join(''),
    )
    .replaceAll(/\/tmp\/tmp\w{8}/g, '<temporary>')
    .replaceAll(/^(Deleted data:|compaction freed about ).*/gm, '$1')
    .replace(/^IMPORTANT: [^]*/m, '');
}

function setUp(twins: Twins): void {
  const tree = join(twins.shared, 'tree');
  for (const folder of ['sub', 'skipped', 'cache', 'tagged'])
    mkdirSync(join(tree, folder), { recursive: true });
  const files: Readonly<Record<string, string>> = {
    'a.txt': 'hello\n',
    'a.o': 'object',
    'sub/b.txt': 'text '.repeat(100_000),
    'sub/b.o': 'object',
    'skipped/secret': 'secret',
    'cache/CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55\n',
    'cache/big': 'big',
    'tagged/.nobackup': '',
    'tagged/other': 'other',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(tree, name), text);
  const reference = process.env['ALCOVE_REFERENCE_BORG']!;
  const programs: Record<Side, string> = { alcove: `${process.execPath} ${borgCommand}`, borg: reference };
  for (const side of sides) {
    for (const other of sides) {
      const program = join(twins.folder(side), other);
      writeFileSync(program, `#!/bin/sh\nexec ${programs[other]} "$@"\n`);
      chmodSync(program, 0o755);
    }
    for (const folder of ['out', 'part', 'other']) mkdirSync(join(twins.folder(side), folder));
    const sections = settings(twins, side);
    const isSectioned = /^1\.[0-7]\./.test(version.stdout);
    const config: unknown = isSectioned ? sections : Object.assign({}, ...Object.values(sections));
    writeFileSync(join(twins.folder(side), 'config.yaml'), JSON.stringify(config));
  }
}

function runStep(twins: Twins, side: Side, step: string): Promise<TwinOutcome> {
  const own = twins.folder(side);
  const other = join(own, side === 'alcove' ? 'borg' : 'alcove');
  const words = step.split(' ').map((word) => twins.resolve(side, word).replace('OTHER', other));
  const args = ['--config', join(own, 'config.yaml'), '--log-file', join(own, 'log'), '--no-color', ...words];
  const env = { PATH: process.env['PATH'] ?? '', HOME: join(own, 'home'), LANG: 'C.UTF-8', TZ: 'UTC' };
  return new Promise((resolve) => {
    const child = execFile(
      'borgmatic',
      args,
      { cwd: twins.shared, env, encoding: 'latin1', timeout: 120_000 },
      (_error, stdout, stderr) =>
        resolve({
          status: child.exitCode ?? -1,
          stdout: withoutChance(stdout),
          stderr: withoutChance(stderr),
        }),
    );
    child.stdin!.end();
  });
}
