import assert from 'node:assert/strict';
import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openSession } from '../../src/archive/session.ts';
import { Location } from '../../src/format/location.ts';
import { addDatedArchives } from '../archive/dated-archives.ts';
import { RecordingReporter } from '../archive/scratch.ts';
import { Workspace, type Outcome, type Program } from '../workspace.ts';

/** Hourly for a day, daily for a month, then ever rarer, over years; some at the edges of days, weeks and years. */
function times(): string[] {
  const result = [
    '2019-06-30T12:00:00',
    '2020-12-31T23:30:00',
    '2021-01-03T23:59:59',
    '2021-01-04T00:00:00',
    '2022-03-27T00:59:00',
    '2022-03-27T01:00:00',
    '2022-10-30T00:30:00',
    '2022-10-30T01:30:00',
    '2023-12-31T22:59:59',
    '2023-12-31T23:00:01',
  ];
  const from = Date.parse('2024-01-01T01:00:00Z');
  for (const days of [0, 40, 80, 95, 130, 170, 200, 250, 300, 330, 331, 332, 333, 336, 340]) {
    result.push(new Date(from + days * 86_400_000).toISOString().slice(0, 19));
  }
  for (const minutes of [0, 1, 61, 125, 126, 400]) {
    result.push(new Date(from + 345 * 86_400_000 + minutes * 60_000).toISOString().slice(0, 19));
  }
  return result;
}

const space = new Workspace();
const repository = space.join('repo');

before(async () => {
  writeFileSync(space.join('source'), 'content');
  space.borg(['init', '--encryption', 'repokey', repository]);
  space.borg(['create', '--timestamp', '2024-05-05T05:05:05', `${repository}::other-1`, 'source']);
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
  await addDatedArchives(session, 'other-1', [
    ...times().map((time, number) => [`main-${number}`, time] as const),
    ['main-0.checkpoint', '2019-01-01T00:00:00'],
    ['main-1.checkpoint.2', '2024-11-01T00:00:00'],
    ['other-2.checkpoint', '2024-06-06T06:06:06'],
  ]);
});
after(() => space[Symbol.dispose]());

const rules: readonly string[][] = [
  ['--keep-daily', '3', '--keep-weekly', '2', '--keep-monthly', '3', '--keep-yearly', '-1'],
  ['--keep-last', '4', '--keep-minutely=2', '--keep-hourly', '3', '-a', 'main-*'],
  ['-H', '2', '-d', '2', '-w', '3', '-m', '2', '-y', '2', '--keep-13weekly', '4'],
  ['--keep-3monthly', '-1', '--prefix', 'main-'],
  ['--keep-13weekly=-1', '--keep-weekly', '30'],
  ['--keep-within', '2y', '--keep-yearly', '20', '-a', '*'],
  ['--keep-yearly', '40', '-a', 'other*'],
];

const zones = ['UTC', 'Europe/Berlin', 'Pacific/Auckland'];

function outcome(program: Program, args: readonly string[], TZ: string): Outcome {
  const { status, stdout, stderr } = program(args, { env: { TZ }, accept: [0, 1, 2] });
  return { status, stdout, stderr };
}

describe('prune says the same as Borg', () => {
  for (const [number, rule] of rules.entries()) {
    it(`of what it would do by ${rule.join(' ')}`, () => {
      const zone = zones[number % zones.length]!;
      const args = ['prune', '--dry-run', '--list', '--info', ...rule, repository];
      const byAlcove = outcome(space.alcove, args, zone);
      assert.ok(byAlcove.stderr.includes('Keeping archive (rule: '));
      assert.deepEqual(byAlcove, outcome(space.borg, args, zone));
    });
  }

  it('of a policy without rules, and of two strategies for quarters', () => {
    const none = ['prune', '--keep-daily', '0', repository];
    const byAlcove = outcome(space.alcove, none, 'UTC');
    assert.deepEqual(byAlcove, outcome(space.borg, none, 'UTC'));
    assert.equal(byAlcove.status, 2);
    const both = ['prune', '--keep-13weekly', '1', '--keep-3monthly', '1', repository];
    const lastLine = (program: Program) => outcome(program, both, 'UTC').stderr.trimEnd().split('\n').at(-1)!;
    assert.equal(lastLine(space.alcove).replace('alcove', 'borg'), lastLine(space.borg));
  });

  it('and does the same, with the same statistics, and leaves a repository that Borg finds whole', () => {
    const args = ['prune', '--list', '--stats', '-d', '2', '-m', '5', '-a', 'main-*', repository];
    const home = space.join('home');
    for (const path of [repository, home]) cpSync(path, `${path}-before`, { recursive: true });
    const byAlcove = space.alcove(args);
    space.borg(['check', '--verify-data', repository]);
    const left = space.borg(['list', '--short', repository]).stdout;
    assert.match(left, /^main-30$/m);
    for (const path of [repository, home]) {
      rmSync(path, { recursive: true });
      renameSync(`${path}-before`, path);
    }
    assert.equal(byAlcove.stderr, space.borg(args).stderr);
    assert.equal(left, space.borg(['list', '--short', repository]).stdout);
  });
});
