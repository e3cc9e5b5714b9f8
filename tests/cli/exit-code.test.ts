import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyExitCode, exitCode } from '../../src/cli/exit-code.ts';
import * as errors from '../../src/errors.ts';

type Condition = errors.BorgError | errors.BorgWarning;
type ConditionClass = new (args?: never[]) => Condition;

const classes = Object.entries(errors).flatMap(([name, value]): [string, ConditionClass][] =>
  typeof value === 'function' && 'condition' in value ? [[name, value as unknown as ConditionClass]] : [],
);

describe('exitCode()', () => {
  it('gives 2 for every error and 1 for every warning by default', () => {
    for (const [name, Class] of classes) {
      const condition = new Class([]);
      if (condition instanceof errors.BorgError) {
        assert.equal(exitCode({ error: condition, warnings: [] }, 'legacy'), 2, name);
      } else {
        assert.equal(exitCode({ warnings: [condition] }, 'legacy'), 1, name);
      }
    }
  });

  it('gives every class its own code with BORG_EXIT_CODES=modern', () => {
    for (const [name, Class] of classes) {
      const condition = new Class([]);
      const outcome =
        condition instanceof errors.BorgError
          ? { error: condition, warnings: [] }
          : { warnings: [condition] };
      const code = exitCode(outcome, 'modern');
      assert.equal(code, condition.exitCode, name);
      const expected = condition instanceof errors.BorgError ? 'error' : 'warning';
      assert.equal(classifyExitCode(code), expected, name);
    }
  });

  const changed = new errors.FileChangedWarning(['a']);
  const denied = new errors.BackupPermissionWarning(['b', 'denied']);
  const failure = new errors.LockTimeout(['x']);
  const cases = [
    ['0 for success', { warnings: [] }, 0, 0],
    ['one code for warnings of one kind', { warnings: [changed, changed] }, 1, 100],
    ['1 for warnings of different kinds', { warnings: [changed, denied] }, 1, 1],
    ['an error before warnings', { error: failure, warnings: [changed] }, 2, 73],
    ['a signal before an error', { error: failure, signal: 'SIGTERM', warnings: [] }, 143, 143],
    ['128 + 2 for SIGINT', { signal: 'SIGINT', warnings: [] }, 130, 130],
    ['128 + 1 for SIGHUP', { signal: 'SIGHUP', warnings: [] }, 129, 129],
    ['2 for what is no condition of ours', { error: new TypeError('x'), warnings: [] }, 2, 2],
    ['what the command asks for', { requested: 1, warnings: [] }, 1, 1],
    ['what the command asks for before warnings', { requested: 1, warnings: [changed] }, 1, 1],
  ] as const;
  for (const [title, outcome, legacy, modern] of cases) {
    it(`gives ${title}`, () => {
      assert.equal(exitCode(outcome, 'legacy'), legacy);
      assert.equal(exitCode(outcome, 'modern'), modern);
    });
  }
});

describe('classifyExitCode()', () => {
  const table = [
    [0, 'success'],
    [1, 'warning'],
    [2, 'error'],
    [3, 'error'],
    [99, 'error'],
    [100, 'warning'],
    [127, 'warning'],
    [128, 'signal'],
    [255, 'signal'],
  ] as const;
  for (const [code, kind] of table) {
    it(`calls ${code} ${kind}`, () => assert.equal(classifyExitCode(code), kind));
  }

  it('refuses what is no exit code', () => {
    assert.throws(() => classifyExitCode(256), RangeError);
    assert.throws(() => classifyExitCode(-1), RangeError);
  });
});
