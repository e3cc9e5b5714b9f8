/** Each condition that Borg 1.4.5 knows, by a table of its own source (tests/interop/conditions.test.ts compares the two). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { exitCode } from '../src/cli/exit-code.ts';
import * as errors from '../src/errors.ts';

interface Row {
  readonly msgid: string;
  readonly exitCode: number;
  readonly message: string;
  readonly isWarning: boolean;
}

interface Condition {
  readonly msgid: string;
  readonly exitCode: number;
  readonly template: string;
}

type ConditionClass = (new (args: readonly unknown[]) => errors.BorgError | errors.BorgWarning) & {
  readonly condition: Condition;
};

const rows = JSON.parse(
  readFileSync(new URL('vectors/conditions.json', import.meta.url), 'utf8'),
) as readonly Row[];

const classes = Object.values(errors).flatMap((value) =>
  typeof value === 'function' && 'condition' in value ? [value as unknown as ConditionClass] : [],
);

/** Not here, and why. */
const absent: Readonly<Record<string, string>> = {
  ErrorWithTraceback: 'whether a stack is shown depends on --debug, not on the class',
  'EfficientCollectionQueue.SizeUnderflow': 'a fault of the program itself, which has another queue',
  BackupWarning: 'Borg logs the error inside under its own name and code',
};

/** Other words, and why. */
const reworded: Readonly<Record<string, string>> = {
  BorgWarning: 'Borg prints the text of such a warning alone',
  BackupError: 'says what is wrong with the file',
};

/** Placeholders without what Python may add inside. */
const plain = (message: string): string => message.replaceAll(/\{(?:0|!r)\}/g, '{}');

describe('each error and warning of Borg', () => {
  for (const row of rows.filter(({ msgid }) => !(msgid in absent))) {
    it(`${row.msgid} has its name, its words and the codes ${row.isWarning ? 1 : 2} and ${row.exitCode}`, () => {
      const found = classes.filter(({ condition }) => condition.msgid === row.msgid);
      assert.equal(found.length, 1);
      const Class = found[0]!;
      if (!(row.msgid in reworded)) assert.equal(Class.condition.template, plain(row.message));
      const made = new Class(['a', 'b', 'c', 'd']);
      assert.equal(made.msgid, row.msgid);
      assert.equal(made instanceof errors.BorgWarning, row.isWarning);
      const outcome =
        made instanceof errors.BorgWarning ? { warnings: [made] } : { error: made, warnings: [] };
      assert.equal(exitCode(outcome, 'legacy'), row.isWarning ? 1 : 2);
      assert.equal(exitCode(outcome, 'modern'), row.exitCode);
    });
  }

  it('has no number twice, but those that many share', () => {
    const own = rows.map((row) => row.exitCode).filter((code) => code > 2);
    assert.equal(new Set(own).size, own.length);
  });
});

describe('what Borg does not know', () => {
  it('has a code that Borg gives to nothing', () => {
    const names = new Set(rows.map((row) => row.msgid));
    const codes = new Set(rows.map((row) => row.exitCode));
    const own = classes.filter(({ condition }) => !names.has(condition.msgid));
    const clashing = own.filter(({ condition }) => codes.has(condition.exitCode));
    assert.deepEqual(
      clashing.map(({ condition }) => condition.msgid),
      [],
    );
  });
});
