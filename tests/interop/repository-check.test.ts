/** The check of a repository without its key: on the same damage both programs say the same, and agree after a repair. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RepositoryCheckOptions } from '../../src/repository/check-result.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import { openRepository } from '../../src/repository/open-repository.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { toHex } from '../../src/util/bytes.ts';
import { dataOf, idOf, testContext } from '../repository/fakes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-interop-'));
after(() => rmSync(scratch, { recursive: true }));
const base = join(scratch, 'base');
const repo = join(scratch, 'repo');

interface Verdict {
  /** Exit code of the command, or what it would be. */
  status: number | null;
  lines: string[];
}

/** Its question is answered; what it says of that is left out. */
function borg(...options: string[]): Verdict {
  const command = process.env['ALCOVE_REFERENCE_BORG'];
  if (!command) throw new Error('set ALCOVE_REFERENCE_BORG to the command of a Borg 1.4');
  const env = {
    ...process.env,
    BORG_BASE_DIR: join(scratch, 'home'),
    BORG_HOST_ID: 'test-host',
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES',
  };
  const args = ['check', '--repository-only', '--info', '--lock-wait', '9', ...options, repo];
  const { status, stderr } = spawnSync(command, args, { cwd: scratch, env, encoding: 'utf8' });
  const lines = stderr.split('\n');
  return {
    status,
    lines: lines.slice(lines.indexOf('Starting repository check')).filter((line) => line !== ''),
  };
}

async function alcove(options: RepositoryCheckOptions = {}): Promise<Verdict> {
  const context = testContext();
  await using repository = await openRepository(context, repo, { exclusive: true });
  const { ok } = await repository.check(options);
  return { status: ok ? 0 : 1, lines: context.reporter.lines.map((line) => line.replace(/^[a-z]+: /, '')) };
}

const path = (name: string | number) => join(repo, typeof name === 'number' ? `data/0/${name}` : name);
const remove = (...names: (string | number)[]) => names.forEach((name) => unlinkSync(path(name)));
const edit = (name: string | number, change: (bytes: Buffer) => Uint8Array) =>
  writeFileSync(path(name), change(readFileSync(path(name))));
const flip = (at: number) => (bytes: Buffer) => {
  bytes[at]! ^= 0x21;
  return bytes;
};
const rename = (from: string | number, to: string | number) => renameSync(path(from), path(to));

/** Segments 0, 2 and 4 hold objects, each is followed by a COMMIT. */
async function makeBase(): Promise<void> {
  await using repository = await createRepository(testContext(), base);
  await repository.put(MANIFEST_ID, dataOf('manifest'));
  for (let i = 0; i < 8; i++) await repository.put(idOf(i), dataOf(i, 20 + i));
  await repository.commit();
  await repository.put(idOf(0), dataOf('new 0'));
  await repository.delete(idOf(1));
  await repository.commit();
  await repository.put(idOf(9), dataOf(9));
  await repository.commit();
}

async function contents(): Promise<Map<string, string>> {
  await using repository = await openRepository(testContext(), repo);
  const found = new Map<string, string>();
  for (const id of await repository.list()) found.set(toHex(id), toHex(await repository.get(id)));
  return found;
}

/** `alike`: both programs make the same files of it, too. */
const damages: [name: string, alike: boolean, damage: () => void][] = [
  ['nothing', true, () => {}],
  ['the size of an entry', false, () => edit(0, flip(12))],
  ['the tag of an entry', false, () => edit(0, flip(16))],
  ['the key of an entry', true, () => edit(0, flip(30))],
  ['the data of an entry', true, () => edit(0, flip(70))],
  ['the magic', true, () => edit(0, flip(2))],
  ['a segment cut short', true, () => edit(0, (bytes) => bytes.subarray(0, 200))],
  [
    'garbage in an entry',
    false,
    () =>
      edit(0, (bytes) => Buffer.concat([bytes.subarray(0, 150), Buffer.alloc(33, 7), bytes.subarray(150)])),
  ],
  ['a missing segment', true, () => remove(2)],
  ['a segment in the place of another', true, () => writeFileSync(path(2), readFileSync(path(0)))],
  [
    'swapped segments',
    true,
    () => {
      rename(0, 'x');
      rename(2, 0);
      rename('x', 2);
    },
  ],
  ['an empty segment', true, () => edit(2, () => Buffer.alloc(0))],
  ['a COMMIT amid the log', true, () => edit(3, flip(12))],
  ['a missing index', true, () => remove('index.5')],
  ['a missing integrity file', true, () => remove('integrity.5')],
  ['damaged hints', true, () => edit('hints.5', flip(30))],
  ['no index, and data', true, () => [remove('index.5'), edit(0, flip(70))]],
  ['an uncommitted segment', false, () => writeFileSync(path(6), readFileSync(path(4)))],
];

describe('the check of a repository', () => {
  before(makeBase);

  for (const [name, alike, damage] of damages) {
    it(`gives what Borg's gives: ${name}`, async () => {
      for (const repair of [false, true]) {
        const start = () => {
          rmSync(repo, { recursive: true, force: true });
          cpSync(base, repo, { recursive: true });
          damage();
        };
        start();
        const theirs = borg(...(repair ? ['--repair'] : []));
        const theirFiles = files();
        start();
        const ours = await alcove({ repair });
        assert.deepEqual(ours, theirs);
        if (!repair) continue;
        // What it has made itself, Borg finds sound.
        if (alike) assert.deepEqual(files(), theirFiles);
        else assert.equal(borg().status, 0);
        assert.equal((await alcove()).status, 0);
      }
    });
  }

  it('says that a transaction is gone whose index is there, where Borg is silent', async () => {
    for (const repair of [false, true]) {
      const start = () => {
        rmSync(repo, { recursive: true, force: true });
        cpSync(base, repo, { recursive: true });
        rename('index.5', 'index.9');
      };
      start();
      const theirs = borg(...(repair ? ['--repair'] : []));
      const theirFiles = files();
      start();
      const { status, lines } = await alcove({ repair });
      assert.equal(status, theirs.status);
      const said = lines.filter((line) =>
        /The segments of the last transaction \(9\) are missing/.test(line),
      );
      assert.equal(said.length, 1, lines.join('\n'));
      assert.deepEqual(
        lines.filter((line) => !said.includes(line)),
        theirs.lines,
      );
      if (repair) assert.deepEqual(files(), theirFiles);
    }
  });

  it("keeps a transaction whose COMMIT is damaged, which Borg's check would not", async () => {
    for (const damage of [() => edit(5, flip(12)), () => edit(5, flip(3)), () => remove(5)]) {
      rmSync(repo, { recursive: true, force: true });
      cpSync(base, repo, { recursive: true });
      const sound = await contents();
      damage();
      assert.equal((await alcove()).status, 1);
      assert.equal((await alcove({ repair: true })).status, 0);
      const { status, lines } = borg();
      assert.equal(status, 0, lines.join('\n'));
      assert.deepEqual(await contents(), sound);
    }
  });

  it('has a quarantine that Borg does not mind', async () => {
    rmSync(repo, { recursive: true, force: true });
    cpSync(base, repo, { recursive: true });
    edit(0, flip(30));
    await alcove({ repair: true });
    assert.ok(readdirSync(join(repo, 'quarantine')).length === 1);
    edit(2, flip(60));
    assert.equal(borg('--repair').status, 0);
    assert.equal(borg().status, 0);
    assert.ok(readdirSync(join(repo, 'quarantine')).length === 1);
  });

  it("goes on with Borg's partial check, and the other way round", async () => {
    rmSync(repo, { recursive: true, force: true });
    cpSync(base, repo, { recursive: true });
    edit('config', (config) =>
      Buffer.from(config.toString().replace('id =', 'last_segment_checked = 1\nid =')),
    );
    const between = readFileSync(path('config'));
    const theirs = borg('--max-duration', '3600');
    const theirConfig = readFileSync(path('config'), 'utf8');
    writeFileSync(path('config'), between);
    assert.deepEqual(await alcove({ maxDurationSeconds: 3600 }), theirs);
    assert.equal(readFileSync(path('config'), 'utf8'), theirConfig);
    const { lines } = await alcove({ maxDurationSeconds: 1e-9 });
    assert.ok(lines.includes('finished partial segment check, last segment checked is 0'));
    const next = borg('--max-duration', '3600');
    assert.ok(next.lines.includes('skipping to segments >= 1'), next.lines.join('\n'));
    assert.equal(next.status, 0);
  });
});

/** Segments, and what is made of them. */
function files(): Map<string, string> {
  const names = readdirSync(repo).filter((name) => /^(?:index|hints|integrity|config)\b/.test(name));
  const all = [...names, ...readdirSync(path('data/0')).map((name) => `data/0/${name}`)];
  return new Map(all.map((name) => [name, readFileSync(path(name), 'base64')]));
}
