import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { openObject, sealObject } from '../../src/archive/repo-object.ts';
import { openSession } from '../../src/archive/session.ts';
import { Location } from '../../src/format/location.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { RecordingReporter } from '../archive/scratch.ts';
import { Workspace, type Outcome, type Program } from '../workspace.ts';

function make(space: Workspace, encryption: string, ...names: string[]): string {
  const repository = space.join('repo');
  writeFileSync(space.join('file'), 'content');
  space.borg(['init', '--encryption', encryption, repository]);
  for (const [number, name] of names.entries()) {
    space.borg([
      'create',
      '--timestamp',
      `2024-01-0${number + 1}T00:00:00`,
      `${repository}::${name}`,
      'file',
    ]);
  }
  return repository;
}

/** Takes the authentication of an archive away, as if a Borg before 1.0.9 had made it. */
async function removeTam(space: Workspace, repository: string, name: string): Promise<void> {
  const ctx = {
    env: space.env,
    cwd: space.path,
    reporter: new RecordingReporter(),
    signal: new AbortController().signal,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
    readPassphrase: () => Promise.resolve(undefined),
  };
  await using session = await openSession(ctx, Location.parse(repository), {
    operations: ['write'],
    exclusive: true,
  });
  const entry = session.manifest.archives.get(name)!;
  const plaintext = openObject(session.key, entry.id, await session.repository.get(entry.id));
  const { value } = session.key.unpackArchive(plaintext);
  const { id, sealed } = await sealObject(session.key, session.compressor, encode(value));
  await session.repository.put(id, sealed);
  await session.repository.delete(entry.id);
  session.manifest.archives.set(name, { ...entry, id });
  await session.manifest.write();
  await session.repository.commit();
}

/** What each program says to these commands, both from the same state on; leaves what Borg made of it. */
function both(
  space: Workspace,
  repository: string,
  commands: readonly (readonly string[])[],
): { alcove: Outcome[]; borg: Outcome[] } {
  const paths = [repository, space.join('home')];
  const all = (program: Program): Outcome[] =>
    commands.map((options) => {
      const outcome = program(['upgrade', ...options, repository], { accept: [0, 1, 2] });
      // Each authentication has a salt of its own, and so an id.
      return { ...outcome, stdout: outcome.stdout.replaceAll(/\[[0-9a-f]{64}\]/g, '[ID]') };
    });
  for (const path of paths) cpSync(path, `${path}-before`, { recursive: true });
  const alcove = all(space.alcove);
  for (const path of paths) {
    rmSync(path, { recursive: true });
    renameSync(`${path}-before`, path);
  }
  return { alcove, borg: all(space.borg) };
}

describe('upgrade', () => {
  for (const encryption of ['repokey', 'none']) {
    it(`demands the authentication of the manifest, or not, as Borg does, with --encryption=${encryption}`, () => {
      using space = new Workspace();
      const repository = make(space, encryption, 'one', 'two');
      const commands = [
        ['--check-tam'],
        ['--disable-tam'],
        ['--check-tam'],
        ['--tam'],
        ['--tam'],
        ['--check-tam'],
      ];
      const { alcove, borg } = both(space, repository, commands);
      assert.deepEqual(alcove, borg);
      assert.deepEqual([alcove[2]!.status, alcove[5]!.status], [1, 0]);
      // What one program has set up, the other finds so.
      space.alcove(['upgrade', '--disable-tam', repository]);
      assert.equal(space.borg(['upgrade', '--check-tam', repository], { accept: [1] }).status, 1);
      space.alcove(['upgrade', '--tam', repository]);
      assert.match(space.borg(['upgrade', '--check-tam', repository]).stdout, /setup OK/);
      space.borg(['check', repository]);
    });
  }

  it('authenticates archives as Borg does, and leaves a repository that is whole', async () => {
    using space = new Workspace();
    const repository = make(space, 'keyfile-blake2', 'one', 'two', 'three');
    await removeTam(space, repository, 'two');
    const commands = [['--check-archives-tam'], ['--archives-tam'], ['--archives-tam']];
    const { alcove, borg } = both(space, repository, commands);
    assert.deepEqual(alcove, borg);
    assert.match(alcove[0]!.stderr, /^Found 1 archives with TAM issues!\n/);
    await removeTam(space, repository, 'one');
    assert.equal(space.borg(['upgrade', '--check-archives-tam', repository], { accept: [1] }).status, 1);
    assert.match(
      space.alcove(['upgrade', '--archives-tam', repository]).stdout,
      /^Added archive TAM: {3}one /,
    );
    space.borg(['check', '--verify-data', repository]);
    assert.match(
      space.borg(['upgrade', '--check-archives-tam', repository]).stdout,
      /\nAll archives are TAM/,
    );
    assert.match(space.borg(['list', `${repository}::one`]).stdout, / file\n/);
  });

  it('leaves a repository of Borg 1 as it is', () => {
    using space = new Workspace();
    const repository = make(space, 'repokey');
    const { stdout } = space.alcove(['upgrade', repository]);
    assert.equal(stdout, 'The repository is one of Borg 1 already: there is nothing to convert.\n');
    assert.deepEqual(globSync(space.join('repo*')), [repository]);
    const { status, stderr } = space.alcove(['upgrade', '--tam', '--dry-run', repository], { accept: [2] });
    assert.equal(status, 2);
    assert.match(stderr, /--dry-run has no effect on these/);
  });

  it('moves a key file to where Borg looks for it since 1.0', () => {
    using space = new Workspace();
    const repository = make(space, 'keyfile', 'one');
    const [keyfile = ''] = globSync(space.join('home/.config/borg/keys/*'));
    const legacy = space.join('home/.borg/keys', basename(keyfile));
    mkdirSync(space.join('home/.borg/keys'), { recursive: true });
    renameSync(keyfile, legacy);
    assert.equal(space.borg(['list', repository], { accept: [2] }).status, 2);
    assert.match(space.alcove(['upgrade', '--dry-run', repository]).stdout, /^Would move the key file /);
    assert.ok(existsSync(legacy));
    const { stdout } = space.alcove(['upgrade', repository]);
    assert.equal(stdout, `Moved the key file ${legacy} to ${keyfile}\n`);
    assert.match(space.borg(['list', repository]).stdout, /^one /);
  });

  it('says of a repository of Attic what it is', () => {
    using space = new Workspace();
    const repository = make(space, 'none');
    const segment = globSync(`${repository}/data/0/*`).toSorted().at(-1)!;
    const bytes = readFileSync(segment);
    bytes.write('ATTICSEG');
    writeFileSync(segment, bytes);
    const { stderr } = space.alcove(['upgrade', repository], { accept: [2] });
    assert.match(
      stderr,
      /is a repository of Attic\. This program can't convert it: run "borg upgrade" of Borg 1\.4/,
    );
  });
});
