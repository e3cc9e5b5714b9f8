import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { commandNames, loadCommand } from '../../src/cli/command-table.ts';
import { commonOptions } from '../../src/cli/options/common.ts';
import type { OptionSpec } from '../../src/cli/options/option.ts';
import { rowGroups } from './command-line-rows.ts';
import { CommandLineTwins, type CommandLine } from './command-line-twins.ts';
import { optionRows } from './option-rows.ts';

/** alcove's own; and what the reference can't do where it has no FUSE, of which it complains before all else. */
const leftOut = ['backup', 'completion', 'help', 'history', 'rollback', 'webdav'];
const reference = process.env['ALCOVE_REFERENCE_BORG'] ?? '';
const { stderr: complaint } = spawnSync(reference, ['mount', 'none', '/missing'], { encoding: 'utf8' });
if (complaint?.includes('no FUSE support')) {
  console.error('Wrong command lines of mount are LEFT OUT: the reference has no FUSE.');
  leftOut.push('mount');
}

describe('wrong command lines', () => {
  const pair = new CommandLineTwins();
  before(() => setUp(pair));
  after(() => pair[Symbol.dispose]());

  async function assertAlike(
    rows: readonly CommandLine[],
    env?: Readonly<Record<string, string>>,
  ): Promise<void> {
    const differences = [...(await pair.differences(rows, env))];
    const ours = differences.map(([line, { alcove }]) => [line, alcove] as const);
    const theirs = differences.map(([line, { borg }]) => [line, borg] as const);
    assert.deepEqual(Object.fromEntries(ours), Object.fromEntries(theirs));
  }

  const seen = new Set<OptionSpec>();
  for (const name of commandNames().filter((command) => !leftOut.includes(command))) {
    describe(`options of ${name}`, async () => {
      const spec = (await loadCommand(name))!;
      const more = name === 'list' ? commonOptions.options : [];
      for (const { option, rows } of optionRows(spec, more, seen)) {
        it(`${option}: ${rows.length} wrong uses end as with Borg`, () => assertAlike(rows));
      }
    });
  }

  for (const { title, rows, env } of rowGroups) {
    it(`${title}: ${rows.length} command lines end as with Borg`, () => assertAlike(rows, env));
  }
});

export async function setUp({ twins }: CommandLineTwins): Promise<void> {
  mkdirSync(join(twins.shared, 'tree'));
  writeFileSync(join(twins.shared, 'tree/a.txt'), 'hello\n');
  for (const args of ['init -e repokey REPO', 'create REPO::one tree', 'init -e none OWN/plain']) {
    const { status, stderr } = await twins.runOne('borg', { args });
    assert.equal(status, 0, stderr);
  }
  cpSync(twins.folder('borg'), twins.folder('alcove'), { recursive: true, preserveTimestamps: true });
  for (const name of ['repo', 'plain']) await twins.run({ args: `list OWN/${name}` });
}
