import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { backupProgressLine, borgProgressLine } from '../../src/cli/output/backup-progress.ts';
import { colored, takesColor } from '../../src/cli/output/color.ts';
import type { PercentLine } from '../../src/cli/output/cli-reporter.ts';
import { shortDuration, terminalPercentLine } from '../../src/cli/output/percent-line.ts';
import { textWidth } from '../../src/cli/output/width.ts';
import { FakeOutput } from './fake-io.ts';

const extracting: PercentLine = {
  operation: 1,
  msgid: 'extract',
  template: '%5.1f%% Extracting: %s',
  percent: 25,
  current: 0,
  total: 4_000_000_000,
  doneBefore: 0,
  doneSince: 1_000_000_000,
  elapsedSeconds: 10,
  info: ['home/anna/some/file.txt'],
};
const deleting: PercentLine = {
  ...extracting,
  msgid: 'archive.delete',
  template: 'Deleting archives %3.0f%%',
  total: 40_000,
  doneBefore: 5000,
  doneSince: 5000,
  info: undefined,
};

describe('terminalPercentLine()', () => {
  it('shows how much of how much, how fast, and how long it takes', () => {
    assert.equal(
      terminalPercentLine(extracting, 100, false).trimEnd(),
      ' 25.0%  1.00 GB of 4.00 GB  100.00 MB/s  30 s left  Extracting: home/anna/some/file.txt',
    );
    assert.equal(
      terminalPercentLine(extracting, 120, true).trimEnd(),
      ' 25.0%  953.67 MiB of 3.73 GiB  95.37 MiB/s  30 s left  Extracting: home/anna/some/file.txt',
    );
  });

  it('counts what is not bytes, and from where it began', () => {
    assert.equal(
      terminalPercentLine(deleting, 80, false).trimEnd(),
      'Deleting archives  25%  10,000 of 40,000  1 min left',
    );
  });

  it('promises nothing before it knows the speed', () => {
    for (const early of [{ elapsedSeconds: 1 }, { doneSince: 0 }]) {
      assert.doesNotMatch(terminalPercentLine({ ...extracting, ...early }, 100, false), / left|B\/s/);
    }
    assert.doesNotMatch(terminalPercentLine({ ...deleting, total: 0 }, 100, false), /of|left/);
  });

  it('leaves out what has no room, the time that is left at last', () => {
    assert.match(terminalPercentLine(extracting, 50, false), /^ 25\.0% {2}30 s left {2}Extracting: home/);
    assert.match(terminalPercentLine(extracting, 40, false), /^ 25\.0% {1,2}Extracting: home/);
    assert.equal(terminalPercentLine({ ...extracting, text: 'Looking' }, 10, false), 'Looking   ');
  });

  it('is exactly as wide as the terminal, whatever is in a path', () => {
    const path = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(path, fc.integer({ min: 8, max: 200 }), fc.boolean(), (name, columns, isDeletion) => {
        const line = isDeletion ? deleting : { ...extracting, info: [name] };
        const text = terminalPercentLine(line, columns, false);
        assert.equal(textWidth(text), columns, JSON.stringify(text));
        assert.doesNotMatch(text, /\p{Cc}/u);
      }),
    );
    const wide = terminalPercentLine({ ...extracting, info: ['資料/'.repeat(40)] }, 77, false);
    assert.equal(textWidth(wide), 77, wide);
  });
});

describe('shortDuration()', () => {
  it('is as exact as an estimate', () => {
    const table: [number, string][] = [
      [0.2, '1 s'],
      [59, '59 s'],
      [60, '1 min'],
      [100, '2 min'],
      [3600, '1 h'],
      [4800, '1 h 20 min'],
      [100_000, '1 d 3 h'],
      [Number.POSITIVE_INFINITY, '?'],
    ];
    for (const [seconds, text] of table) assert.equal(shortDuration(seconds), text);
  });
});

describe('the line of an archive', () => {
  const counts = {
    originalSizeBytes: 2e9,
    compressedSizeBytes: 1e9,
    deduplicatedSizeBytes: 5e8,
    files: 1234,
  };

  /** Ten seconds after it began. */
  function lineOf(
    make: typeof borgProgressLine,
    columns: number | undefined,
    path = 'home/anna/file',
  ): string {
    let seconds = 0;
    const line = make({ iec: false, nowNs: () => BigInt(seconds) * 1_000_000_000n });
    seconds = 10;
    return line(counts, path, columns);
  }

  it('has the rate at a terminal', () => {
    assert.equal(
      lineOf(borgProgressLine, 90).trimEnd(),
      '2.00 GB O 1.00 GB C 500.00 MB D 1234 N 200.00 MB/s home/anna/file',
    );
  });

  it("is Borg's elsewhere", () => {
    assert.equal(
      lineOf(borgProgressLine, undefined),
      '2.00 GB O 1.00 GB C 500.00 MB D 1234 N home/anna/file',
    );
  });

  it('fits the terminal, however narrow', () => {
    for (const make of [borgProgressLine, backupProgressLine]) {
      for (let columns = 8; columns < 120; columns++) {
        const text = lineOf(make, columns, '資料/'.repeat(30));
        assert.equal(textWidth(text), columns, text);
      }
    }
  });
});

describe('takesColor()', () => {
  const terminal = new FakeOutput(80);
  const table: [Record<string, string>, FakeOutput, boolean][] = [
    [{ TERM: 'xterm' }, terminal, true],
    [{ TERM: 'xterm', NO_COLOR: '' }, terminal, true],
    [{ TERM: 'xterm', NO_COLOR: '1' }, terminal, false],
    [{ TERM: 'dumb' }, terminal, false],
    [{}, terminal, false],
    [{ TERM: 'xterm' }, new FakeOutput(), false],
  ];
  for (const [env, output, wanted] of table) {
    it(`is ${wanted} ${output.isTerminal ? 'at a terminal' : 'elsewhere'} with ${JSON.stringify(env)}`, () => {
      assert.equal(takesColor(output, env), wanted);
    });
  }
});

describe('colored()', () => {
  it('marks warnings and errors alone', () => {
    assert.equal(colored('x', 'info'), 'x');
    assert.equal(colored('x', 'warning'), '\x1b[33mx\x1b[0m');
    assert.equal(colored('x', 'error'), '\x1b[31mx\x1b[0m');
  });
});
