/** Checksums that alcove's clients send: who talks to whom, and what Borg makes of a repository that has them. */
import assert from 'node:assert/strict';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodePut, PUT_HEADER_SIZE_BYTES, readUint32 } from '../../src/format/segment.ts';
import { noise } from '../noise.ts';
import { Workspace } from '../workspace.ts';

const fakeSsh = fileURLToPath(new URL('../remote/fake-ssh', import.meta.url));
const alcove = fileURLToPath(new URL('../../bin/alcove', import.meta.url));

type Name = 'alcove' | 'borg';

/** A tree, and a server behind `ssh://`. */
function remoteSpace(server: Name): Workspace {
  const space = new Workspace({ BORG_RSH: fakeSsh, BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES' });
  mkdirSync(space.join('bin'));
  symlinkSync(server === 'alcove' ? alcove : process.env['ALCOVE_REFERENCE_BORG']!, space.join('bin/borg'));
  space.env['BORG_REMOTE_PATH'] = space.join('bin/borg');
  mkdirSync(space.join('tree'));
  writeFileSync(space.join('tree/text'), 'some text\n'.repeat(1000));
  writeFileSync(space.join('tree/noise'), noise(1_000_000, 1));
  return space;
}

const url = (space: Workspace) => `ssh://host${space.join('repo')}`;
const checksumFiles = (space: Workspace) => globSync('repo/data/*/*.sums*', { cwd: space.path });

interface Counts {
  readonly objects: number;
  readonly verified: number;
  readonly changed: number;
  readonly uncovered: number;
}

/** On the server, where nobody knows the passphrase. */
function keylessCheck(space: Workspace, accept = [0]): Counts {
  const args = ['check', '--repository-only', '--checksums', '--json', space.join('repo')];
  const { stdout } = space.alcove(args, { env: { BORG_PASSPHRASE: 'unknown here' }, accept });
  return (JSON.parse(stdout) as { repository_check: { checksums: Counts } }).repository_check.checksums;
}

/** Two archives that alcove sent to alcove. */
function stocked(): Workspace {
  const space = remoteSpace('alcove');
  space.alcove(['init', '-e', 'repokey', url(space)]);
  space.alcove(['create', `${url(space)}::one`, 'tree']);
  writeFileSync(space.join('tree/noise'), noise(1_000_000, 2));
  space.alcove(['create', `${url(space)}::two`, 'tree']);
  return space;
}

function assertSound(space: Workspace): void {
  for (const check of [space.borg, space.alcove]) check(['check', '--verify-data', space.join('repo')]);
}

describe('checksums of what is sent', () => {
  for (const client of ['alcove', 'borg'] as const) {
    for (const server of ['alcove', 'borg'] as const) {
      const areKept = client === 'alcove' && server === 'alcove';
      it(`are ${areKept ? 'kept' : 'left out'} where ${client} sends to ${server}`, () => {
        using space = remoteSpace(server);
        const program = space[client];
        program(['init', '-e', 'repokey', url(space)]);
        program(['create', `${url(space)}::one`, 'tree']);
        program(['rename', `${url(space)}::one`, 'two']);
        const { objects, verified, uncovered } = keylessCheck(space);
        assert.ok(objects > 3);
        assert.deepEqual([verified, uncovered], areKept ? [objects, 0] : [0, objects]);
        assert.equal(checksumFiles(space).length > 0, areKept);
        const asked = space.alcove(['check', '--checksums', url(space)], { accept: [0, 2] });
        if (server === 'alcove') assert.equal(asked.status, 0, asked.stderr);
        else assert.match(asked.stderr, /this server keeps no checksums/);
        space.borg(['check', '--verify-data', space.join('repo')]);
      });
    }
  }

  it('do not keep Borg from anything, and are left behind or gone afterwards', () => {
    using space = stocked();
    const repository = space.join('repo');
    const before = keylessCheck(space);
    assert.deepEqual(before, { ...before, verified: before.objects, uncovered: 0 });
    space.borg(['create', `${repository}::three`, 'tree']);
    const mixed = keylessCheck(space);
    assert.ok(mixed.verified > 0 && mixed.uncovered > 0 && mixed.changed === 0);
    space.borg(['delete', `${repository}::one`]);
    space.borg(['compact', '--threshold', '0', repository]);
    space.borg(['check', '--repair', repository]);
    assertSound(space);
    assert.equal(keylessCheck(space).changed, 0);
    space.alcove(['create', `${url(space)}::four`, 'tree']);
    assert.ok(keylessCheck(space).verified > 0);
    space.alcove(['delete', `${url(space)}::two`]);
    space.alcove(['compact', '--threshold', '0', url(space)]);
    assert.ok(checksumFiles(space).every((path) => existsSync(space.join(path.replace(/\.sums$/, '')))));
    assertSound(space);
    space.borg(['delete', repository]);
    assert.ok(!existsSync(repository));
  });

  it('of a segment that Borg has repaired give no false alarm', () => {
    using space = stocked();
    const [, largest] = globSync('repo/data/0/*', { cwd: space.path })
      .filter((path) => !path.endsWith('.sums'))
      .map((path): [number, string] => [statSync(space.join(path)).size, space.join(path)])
      .toSorted(([a], [b]) => b - a)[0]!;
    const bytes = readFileSync(largest);
    bytes[100]! ^= 1;
    writeFileSync(largest, bytes);
    space.borg(['check', '--repair', space.join('repo')], { accept: [0, 1] });
    const { changed, verified } = keylessCheck(space);
    assert.equal(changed, 0);
    assert.ok(verified > 0);
    assertSound(space);
  });

  it('find what Borg, by its CRC, takes for sound', () => {
    using space = stocked();
    const [path] = globSync('repo/data/0/*.sums', { cwd: space.path }).toSorted(
      (a, b) => statSync(space.join(b)).size - statSync(space.join(a)).size,
    );
    const file = space.join(path!.replace(/\.sums$/, ''));
    const bytes = readFileSync(file);
    const put = bytes.subarray(8, 8 + readUint32(bytes, 12));
    const data = Uint8Array.from(put.subarray(PUT_HEADER_SIZE_BYTES));
    data[data.length >> 1]! ^= 4;
    put.set(encodePut(Uint8Array.from(put.subarray(9, PUT_HEADER_SIZE_BYTES)), data));
    writeFileSync(file, bytes);
    for (const check of [space.borg, space.alcove]) check(['check', '--repository-only', space.join('repo')]);
    assert.equal(keylessCheck(space, [1]).changed, 1);
    const { stdout } = space.alcove(['check', '--checksums', space.join('repo')], { accept: [1] });
    assert.match(stdout, /^ {2}tree\//m);
    const remote = space.alcove(['check', '--repository-only', '--checksums', url(space)], { accept: [1] });
    assert.match(remote.stderr, /Object [0-9a-f]{64} is not what was sent/);
  });

  it('go with what a rollback takes out, and come with what is sent then', () => {
    using space = remoteSpace('alcove');
    space.alcove(['init', '-e', 'repokey', '--append-only', url(space)]);
    space.alcove(['create', `${url(space)}::one`, 'tree']);
    const { transactions } = JSON.parse(space.alcove(['history', '--json', space.join('repo')]).stdout) as {
      transactions: { transaction: number }[];
    };
    const before = checksumFiles(space).toSorted();
    writeFileSync(space.join('tree/noise'), noise(1_000_000, 3));
    space.alcove(['create', `${url(space)}::two`, 'tree']);
    const to = String(transactions.at(-1)!.transaction);
    space.alcove(['rollback', '--to', to, space.join('repo')], {
      env: { ALCOVE_ROLLBACK_I_KNOW_WHAT_I_AM_DOING: 'YES' },
    });
    assert.deepEqual(checksumFiles(space).toSorted(), before);
    assertSound(space);
    space.alcove(['create', `${url(space)}::three`, 'tree']);
    const { objects, verified } = keylessCheck(space);
    assert.equal(verified, objects);
    rmSync(space.join('repo/quarantine'), { recursive: true });
    assertSound(space);
  });
});
