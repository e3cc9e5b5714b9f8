/** What looks into a repository, or carries keys about, over the reference's server: one repository for both clients. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAKE_SSH } from '../remote/remote-place.ts';
import { compareTwins, type TwinRow } from './twin-table.ts';
import type { Side, Twins } from './twins.ts';

const server = {
  BORG_RSH: FAKE_SSH,
  BORG_REMOTE_PATH: process.env['ALCOVE_REFERENCE_BORG'] ?? '',
  BORG_EXIT_CODES: 'modern',
  BORG_SELFTEST: 'disabled',
};

const MANIFEST = '0'.repeat(64);
const MISSING = `${'0'.repeat(63)}9`;
/** Both hold the lock, one after the other. */
const PATIENT = '--lock-wait 60';

async function setUp(twins: Twins): Promise<void> {
  mkdirSync(join(twins.shared, 'tree'));
  for (const name of ['a', 'b'])
    writeFileSync(join(twins.shared, 'tree', name), `${name} needle `.repeat(3000));
  twins.each((folder) => {
    for (const name of ['items', 'objects', 'crud']) mkdirSync(join(folder, name));
  });
  for (const args of [
    'init --encryption repokey-blake2 host:both',
    'create host:both::one tree',
    'create --comment second host:both::two tree/a',
  ]) {
    const { status, stderr } = await twins.runOne('borg', { args, env: server });
    assert.equal(status, 0, stderr);
  }
}

/** What each wrote in a folder of its own, below which there are only files. */
function sameFiles(folder: string, count: number) {
  return (twins: Twins): void => {
    const written = (side: Side) => {
      const path = join(twins.folder(side), folder);
      const names = readdirSync(path).toSorted();
      return names.map((name) => [name, readFileSync(join(path, name), 'latin1')]);
    };
    const ours = written('alcove');
    assert.deepEqual(ours, written('borg'));
    assert.ok(ours.length >= count, `${ours.length} files`);
  };
}

function sameFile(name: string) {
  return (twins: Twins): void => {
    const [ours, theirs] = [twins.folder('alcove'), twins.folder('borg')].map((folder) =>
      readFileSync(join(folder, name), 'latin1'),
    );
    assert.ok(ours!.length > 0);
    assert.equal(ours, theirs);
  };
}

const rows: readonly (string | TwinRow)[] = [
  { args: `debug dump-manifest ${PATIENT} host:both OWN/manifest`, verify: sameFile('manifest') },
  `debug dump-archive ${PATIENT} host:both::one -`,
  {
    args: `debug dump-archive-items ${PATIENT} host:../../shared/both::one`,
    ownFolder: 'items',
    verify: sameFiles('items', 1),
  },
  {
    args: `debug dump-repo-objs ${PATIENT} host:../../shared/both`,
    ownFolder: 'objects',
    verify: sameFiles('objects', 5),
  },
  `debug search-repo-objs ${PATIENT} host:both str:needle`,
  `debug id-hash ${PATIENT} host:both tree/a`,
  `debug refcount-obj ${PATIENT} host:both ${MANIFEST} ${MISSING} zz`,
  { args: `debug get-obj ${PATIENT} host:both ${MANIFEST} OWN/object`, verify: sameFile('object') },
  `debug get-obj ${PATIENT} host:both zz OWN/object`,
  `debug put-obj ${PATIENT} host:both zz tree/a`,
  `debug delete-obj ${PATIENT} host:both zz ${MISSING}`,
  { args: `key export --paper ${PATIENT} host:both OWN/paper`, verify: sameFile('paper') },
  `diff --json-lines ${PATIENT} host:both::one two`,
  `upgrade --check-archives-tam ${PATIENT} host:both`,
  'init --encryption none host:OWN/own',
  { args: 'benchmark crud host:OWN/own OWN/crud', env: { _BORG_BENCHMARK_CRUD_TEST: 'YES' } },
];

compareTwins({
  title: "one repository of the reference's server",
  setUp,
  ownArchives: false,
  served: true,
  rows: rows.map((given) => {
    const row = typeof given === 'string' ? { args: given } : given;
    return { ...row, env: { ...server, ...row.env } };
  }),
});
