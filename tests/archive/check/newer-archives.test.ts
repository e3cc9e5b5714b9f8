/** A list of archives that is lost, so that an older one comes back: nothing that is newer than it is lost with it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkRepository, type CheckOptions, type CheckResult } from '../../../src/archive/check/check.ts';
import { openLocalRepository } from '../../../src/archive/session.ts';
import { checkReportLines } from '../../../src/cli/output/check-report.ts';
import { Scratch } from '../scratch.ts';

async function check(
  scratch: Scratch,
  options: CheckOptions = {},
): Promise<CheckResult & { said: string[] }> {
  const ctx = scratch.context();
  await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  const result = await checkRepository(ctx, repository, options);
  return { ...result, said: ctx.reporter.logged };
}

async function archives(scratch: Scratch): Promise<string[]> {
  await using session = await scratch.open();
  return [...session.manifest.archives.keys()].toSorted();
}

async function twoArchives(encryption: string): Promise<Scratch> {
  const scratch = new Scratch();
  await scratch.init(encryption);
  for (const name of ['one', 'two']) {
    scratch.write(`source/${name}`, name);
    await scratch.create(name);
  }
  return scratch;
}

/** Removes these segments, counted from the last one, which is 0. */
function loseSegments(scratch: Scratch, ...numbers: number[]): void {
  const segments = globSync('repository/data/*/*', { cwd: scratch.path })
    .filter((path) => statSync(scratch.join(path)).isFile())
    .toSorted((a, b) => Number(b.split('/').at(-1)) - Number(a.split('/').at(-1)));
  for (const number of numbers) rmSync(scratch.join(segments[number]!));
}

function lose(scratch: Scratch, ...patterns: string[]): void {
  for (const path of globSync(patterns, { cwd: scratch.path }))
    rmSync(scratch.join(path), { recursive: true });
}

const INDEX = ['repository/index.*', 'repository/hints.*', 'repository/integrity.*'];

for (const encryption of ['repokey', 'none']) {
  for (const [what, lost] of [
    ['nothing else', []],
    ['the index', INDEX],
    ['the index, and what the client knows of it', [...INDEX, '.config/borg/security']],
  ] as const) {
    test(`a repair puts archives back into an old list of archives (${encryption}, lost: ${what})`, async () => {
      using scratch = await twoArchives(encryption);
      // The deletion of the manifest before, and the manifest.
      loseSegments(scratch, 1, 2);
      lose(scratch, ...lost);
      assert.equal((await check(scratch)).ok, false);
      const planned = await check(scratch, { repair: true, dryRun: true });
      const repaired = await check(scratch, { repair: true });
      assert.equal(repaired.ok, true);
      assert.deepEqual(repaired.archives!.steps, planned.archives!.steps);
      assert.equal(repaired.archives!.steps!.orphanCount, 0);
      assert.deepEqual(await archives(scratch), ['one', 'two']);
      const again = await check(scratch, { verifyData: true });
      assert.deepEqual([again.ok, again.said.filter((line) => !line.startsWith('info'))], [true, []]);
      assert.equal((await scratch.items('two')).length, 3);
      const lines = checkReportLines(planned, { mode: 'plan', iec: false }).join('\n');
      assert.match(
        lines,
        /put two into the list of archives again|list of archives again, with the 2 archives/,
      );
      assert.doesNotMatch(lines, /\b0 chunks|no archive here needs/);
    });
  }

  test(`a repair does not put back an archive of which only the deletion is lost (${encryption})`, async () => {
    using scratch = await twoArchives(encryption);
    await using session = await scratch.open();
    const { id } = session.manifest.archives.get('one')!;
    const before = (await session.repository.list()).length;
    session.manifest.archives.delete('one');
    await session.repository.delete(id);
    await session.manifest.write();
    await session.repository.commit({ compact: false });
    await session.close();
    // The deletion; those of the manifest, the manifest and the COMMIT are behind it.
    loseSegments(scratch, 3);
    lose(scratch, ...INDEX);
    const { archives: found, said } = await check(scratch, { repair: true });
    assert.deepEqual(found!.steps!.newerArchives, []);
    assert.ok(said.some((line) => /^error: \d+ orphaned objects found!$/.test(line)));
    assert.deepEqual(await archives(scratch), ['two']);
    await using reopened = await scratch.open();
    assert.ok((await reopened.repository.list()).length < before);
  });
}

test('a repair that ends before the archives are mended says what to do next', async () => {
  using scratch = await twoArchives('repokey');
  const path = scratch.join('repository/data/0/2');
  const bytes = readFileSync(path);
  bytes[100]! ^= 1;
  writeFileSync(path, bytes);
  const ctx = scratch.context({ env: { BORG_PASSPHRASE: 'wrong' } });
  await using repository = await openLocalRepository(ctx, scratch.location, { exclusive: true });
  const half = await checkRepository(ctx, repository, { repair: true, dryRun: true, parts: 'repository' });
  const lines = checkReportLines(half, { mode: 'repair', iec: false });
  assert.match(lines.at(-1)!, /archives are not mended yet/);
  await assert.rejects(checkRepository(ctx, repository, { repair: true }), /passphrase/i);
  assert.match(ctx.reporter.logged.at(-1)!, /^warning: .*its archives were not/);
});
