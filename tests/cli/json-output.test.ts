import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { before, describe, it } from 'node:test';

import { Workspace } from '../workspace.ts';
import { checkJsonOutput, schema, schemaNames, type Printed } from './json-output.ts';

const unbuilt = existsSync(new URL('../../dist/command/main.cjs', import.meta.url))
  ? false
  : 'dist/ is not built';

describe('JSON that is printed', { skip: unbuilt }, () => {
  let printed: Printed;
  before(() => {
    using space = new Workspace();
    printed = checkJsonOutput(space, space.alcove);
  });

  // Borg has no "check --json" and no "history": tests/cli/check-report.test.ts, tests/cli/history.test.ts.
  it('is as the schemas say, each of which is used', () => {
    const documents = schemaNames.filter((name) => !['common', 'check', 'history'].includes(name));
    assert.deepEqual([...printed.keys()].toSorted(), documents);
  });

  it('has lines of all types', () => {
    const types = new Set(printed.get('log-line')!.map((line) => (line as { type: string }).type));
    assert.deepEqual([...types].toSorted(), [
      'archive_progress',
      'file_status',
      'log_message',
      'progress_message',
      'progress_percent',
      'question_accepted_false',
      'question_env_answer',
      'question_invalid_answer',
      'question_prompt',
    ]);
  });

  it('would not do with a field more', () => {
    for (const [name, values] of printed) {
      for (const value of values) assert.ok(!schema(name)({ ...(value as object), more: 1 }), name);
    }
  });

  it('has the operations of all commands in the table', () => {
    const names = new Set(progressOf(printed).map((line) => line.msgid));
    assert.deepEqual([...names].toSorted(), [
      'archive.calc_stats',
      'archive.delete',
      'cache.begin_transaction',
      'cache.commit',
      'cache.download_chunks',
      'cache.sync',
      'extract',
      'prune',
      'repository.compact_segments',
    ]);
  });

  it('numbers operations from 1, and ends each by one line that says so', () => {
    let open = new Map<number, string>();
    let last = 0;
    for (const { operation, msgid, finished } of progressOf(printed)) {
      if (operation === 1 && !open.has(1)) {
        // Another command.
        assert.equal(open.size, 0);
        open = new Map();
        last = 0;
      }
      assert.ok(open.get(operation) === msgid || operation > last, `${msgid} ${operation}`);
      last = Math.max(last, operation);
      if (finished) open.delete(operation);
      else open.set(operation, msgid);
    }
    assert.equal(open.size, 0);
  });
});

interface ProgressLine {
  readonly operation: number;
  readonly msgid: string;
  readonly finished: boolean;
}

function progressOf(printed: Printed): ProgressLine[] {
  return (printed.get('log-line') as Partial<ProgressLine>[]).filter(
    (line): line is ProgressLine => line.operation !== undefined,
  );
}
