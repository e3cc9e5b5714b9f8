import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CliReporter, type ReporterOptions } from '../../src/cli/output/cli-reporter.ts';
import { JsonReporter } from '../../src/cli/output/json-reporter.ts';
import { LogFilter, type LogSettings } from '../../src/cli/output/log-filter.ts';
import { TerminalReporter } from '../../src/cli/output/terminal-reporter.ts';
import { FileChangedWarning } from '../../src/errors.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';
import type { LogLevel } from '../../src/util/reporter.ts';
import { FAKE_NOW_NS, FakeOutput } from './fake-io.ts';

interface Setup extends Partial<LogSettings> {
  columns?: number;
  statusFilter?: string;
  env?: Record<string, string>;
  answers?: string[];
}

const counts = {
  originalSizeBytes: 1_234_567,
  compressedSizeBytes: 999_999,
  deduplicatedSizeBytes: 42,
  files: 7,
};

function options(setup: Setup): ReporterOptions & { stderr: FakeOutput } {
  const answers = [...(setup.answers ?? [])];
  let nowNs = FAKE_NOW_NS;
  const settings = { level: 'warning' as LogLevel, debugTopics: [], list: false, showVersion: false };
  return {
    stderr: new FakeOutput(setup.columns),
    env: setup.env ?? {},
    filter: new LogFilter({ ...settings, showRc: false, stats: false, progress: false, ...setup }),
    progress: setup.progress ?? false,
    list: setup.list ?? false,
    statusFilter: setup.statusFilter,
    iec: false,
    nowNs: () => (nowNs += 1_000_000_000n),
    readLine: () => Promise.resolve(answers.shift()),
  };
}

/** What the reporter writes while `use` runs, as text. */
async function said(
  Class: new (options: ReporterOptions) => CliReporter,
  setup: Setup,
  use: (reporter: CliReporter) => unknown,
): Promise<string> {
  const made = options(setup);
  await use(new Class(made));
  return made.stderr.text;
}

const startSeconds = 1_795_352_400;

const records = (text: string): unknown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);

describe('a long series of lines of a check', () => {
  const id = 'ab'.repeat(32);
  const moved = `ID: ${id} rebuilt index: <not found>      committed index: (2, 8)`;
  const missing = (number: number) =>
    `one: file: New missing file chunk detected (Byte ${number}-9, Chunk ${id}).`;
  const say = (reporter: CliReporter): void => {
    for (let i = 0; i < 12; i++) reporter.log('error', moved, { logger: 'borg.repository' });
    for (let i = 0; i < 10; i++) reporter.log('error', missing(i), { logger: 'borg.archive' });
    reporter.log('error', 'Finished');
    for (let i = 0; i < 1000; i++) {
      reporter.log('error', `Remote: ${moved}`, { logger: 'borg.repository' });
    }
    reporter.log('error', 'Finished');
  };
  const all = 12 + 10 + 1 + 1000 + 1;

  it('is folded at a terminal, each for itself', async () => {
    const lines = (await said(TerminalReporter, { columns: 80 }, say)).trimEnd().split('\n');
    assert.equal(lines.length, 10 + 1 + 10 + 1 + 10 + 1 + 1);
    assert.match(lines[10]!, /and 2 more objects .*-v/);
    assert.equal(lines[20], missing(9));
    assert.match(lines[32]!, /and 990 more/);
    assert.match(lines[33]!, /Finished/);
  });

  it('is whole elsewhere, and where more is asked for', async () => {
    for (const setup of [
      {},
      { columns: 80, level: 'info' as const },
      { columns: 80, level: 'debug' as const },
    ]) {
      const text = await said(TerminalReporter, setup, say);
      assert.equal(text.trimEnd().split('\n').length, all);
      assert.doesNotMatch(text, /more/);
    }
    assert.equal(records(await said(JsonReporter, { columns: 80 }, say)).length, all);
  });
});

describe('LogFilter', () => {
  const table: [Partial<LogSettings>, LogLevel, string, boolean][] = [
    [{}, 'warning', 'borg.archiver', true],
    [{}, 'info', 'borg.archiver', false],
    [{ level: 'info' }, 'info', 'borg.archiver', true],
    [{ level: 'critical' }, 'error', 'borg.archiver', false],
    [{ level: 'debug' }, 'info', 'borg.output.list', false],
    [{ list: true }, 'info', 'borg.output.list', true],
    [{ level: 'critical', list: true }, 'info', 'borg.output.list', true],
    [{ stats: true }, 'info', 'borg.output.stats', true],
    [{}, 'info', 'borg.output.show-rc', false],
    [{}, 'error', 'borg.output.show-rc', true],
    [{ level: 'debug' }, 'debug', 'borg.debug.files_cache', false],
    [{ debugTopics: ['files_cache'] }, 'debug', 'borg.debug.files_cache', true],
    [{ debugTopics: ['borg.repository'] }, 'debug', 'borg.repository', true],
  ];
  for (const [setup, level, logger, shown] of table) {
    it(`${shown ? 'shows' : 'hides'} ${level} of ${logger} with ${JSON.stringify(setup)}`, () => {
      assert.equal(options(setup).filter.shows(level, logger), shown);
    });
  }
});

describe('TerminalReporter', () => {
  it('writes log lines as they are', async () => {
    assert.equal(await said(TerminalReporter, {}, (r) => r.log('warning', 'a\nb')), 'a\nb\n');
  });

  it('writes a warning and remembers it', async () => {
    const made = options({});
    const reporter = new TerminalReporter(made);
    reporter.warn(new FileChangedWarning(['dir/file']));
    assert.equal(made.stderr.text, 'dir/file: file changed while we backed it up\n');
    assert.equal(reporter.warnings.length, 1);
  });

  it('remembers a warning that is not shown', () => {
    const made = options({ level: 'error' });
    const reporter = new TerminalReporter(made);
    reporter.warn(new FileChangedWarning(['x']));
    assert.equal(made.stderr.text, '');
    assert.equal(reporter.warnings.length, 1);
  });

  it('lists files with the statuses that are asked for', async () => {
    const setup = { list: true, statusFilter: 'AM' };
    const text = await said(TerminalReporter, setup, (reporter) => {
      reporter.fileStatus('A', fromUtf8('new'));
      reporter.fileStatus('U', fromUtf8('old'));
      reporter.fileStatus('M', Uint8Array.of(0x78, 0xff));
    });
    assert.equal(text, 'A new\nM x?\n');
  });

  it('shows the progress of an archive in one line that fits', async () => {
    const path = fromUtf8('home/anna/very/long/path/to/some/file.txt');
    const text = await said(TerminalReporter, { progress: true, columns: 60 }, (reporter) => {
      reporter.archiveProgress(counts, path);
    });
    assert.equal(text, '1.23 MB O 1.00 MB C 42 B D 7 N home/anna/v...o/some/file.txt\r');
  });

  it('shows whole paths where stderr is no terminal', async () => {
    const text = await said(TerminalReporter, { progress: true }, (reporter) => {
      reporter.archiveProgress(counts, fromUtf8('home/anna/file'));
      reporter.archiveProgressEnd();
    });
    assert.equal(text, '1.23 MB O 1.00 MB C 42 B D 7 N home/anna/file\n\n');
  });

  it('clears the progress line before other text', async () => {
    const text = await said(TerminalReporter, { progress: true, columns: 40 }, (reporter) => {
      reporter.message('x').show('Saving');
      reporter.log('warning', 'look');
    });
    assert.equal(text, `${'Saving'.padEnd(40)}\r${' '.repeat(40)}\rlook\n`);
  });

  it('keeps control characters of paths from the terminal', async () => {
    const text = await said(TerminalReporter, { progress: true, columns: 60 }, (reporter) => {
      reporter.archiveProgress(counts, fromUtf8('a\x1b[31mb\nc'));
    });
    assert.ok(text.includes('a?[31mb?c'), JSON.stringify(text));
  });

  it('shows a percentage as often as its step says', async () => {
    const text = await said(TerminalReporter, { progress: true }, (reporter) => {
      const progress = reporter.percent('prune', 'Pruning archives %3.0f%%', 100);
      for (let i = 0; i < 12; i++) progress.advance();
      progress.finish();
    });
    assert.equal(text, 'Pruning archives   0%\rPruning archives   5%\rPruning archives  10%\r\r');
  });

  it('says nothing of progress that nobody asked for', async () => {
    const text = await said(TerminalReporter, { level: 'debug' }, (reporter) => {
      reporter.archiveProgress(counts);
      reporter.percent('x', '%3.0f%%', 10).advance();
      reporter.message('x').show('y');
    });
    assert.equal(text, '');
  });
});

describe('JsonReporter', () => {
  it('writes log lines as records', async () => {
    const text = await said(JsonReporter, {}, (r) => r.log('error', 'bad: é', { msgid: 'LockTimeout' }));
    assert.equal(
      text,
      '{"type": "log_message", "time": 1795352401.0, "message": "bad: \\u00e9", "levelname": "ERROR", "name": "borg.archiver", "msgid": "LockTimeout"}\n',
    );
  });

  it('writes statuses, progress and questions as records', async () => {
    const setup = { list: true, progress: true, env: { BORG_X: 'yes' } };
    const text = await said(JsonReporter, setup, async (reporter) => {
      reporter.fileStatus('A', fromUtf8('p'));
      reporter.fileStatus('', fromUtf8('q'));
      reporter.archiveProgress(counts, fromUtf8('p'));
      reporter.archiveProgressEnd();
      const percent = reporter.percent('extract', '%5.1f%% Extracting: %s', 0);
      percent.say('Calculating');
      percent.setTotal(200);
      percent.advance({ current: 50, info: ['p'] });
      percent.finish();
      reporter.message('cache.commit').show('Saving');
      await reporter.ask({ text: 'Go on?', env: 'BORG_X', trueText: 'Fine.' });
    });
    assert.deepEqual(records(text), [
      { type: 'file_status', status: 'A', path: 'p' },
      {
        type: 'log_message',
        time: startSeconds + 1,
        message: 'q',
        levelname: 'INFO',
        name: 'borg.output.list',
      },
      {
        original_size: 1_234_567,
        compressed_size: 999_999,
        deduplicated_size: 42,
        nfiles: 7,
        path: 'p',
        time: startSeconds + 3,
        type: 'archive_progress',
        finished: false,
      },
      { time: startSeconds + 4, type: 'archive_progress', finished: true },
      {
        message: 'Calculating',
        current: 0,
        total: 0,
        info: null,
        operation: 1,
        msgid: 'extract',
        type: 'progress_percent',
        finished: false,
        time: startSeconds + 5,
      },
      {
        message: ' 25.0% Extracting: p',
        current: 51,
        total: 200,
        info: ['p'],
        operation: 1,
        msgid: 'extract',
        type: 'progress_percent',
        finished: false,
        time: startSeconds + 6,
      },
      { operation: 1, msgid: 'extract', type: 'progress_percent', finished: true, time: startSeconds + 7 },
      {
        message: 'Saving',
        operation: 2,
        msgid: 'cache.commit',
        type: 'progress_message',
        finished: false,
        time: startSeconds + 8,
      },
      { type: 'question_prompt', msgid: 'BORG_X', message: 'Go on?' },
      { env_var: 'BORG_X', type: 'question_env_answer', msgid: 'BORG_X', message: 'yes (from BORG_X)' },
      { type: 'question_accepted_true', msgid: 'BORG_X', message: 'Fine.' },
    ]);
  });
});

describe('ask()', () => {
  const question = {
    text: 'Sure? ',
    env: 'BORG_SURE',
    trueText: 'yes!',
    falseText: 'no!',
    invalidText: 'what?',
    retryText: 'again: ',
  };
  const table: [title: string, setup: Setup, extra: object, answer: boolean, text: string][] = [
    ['takes a yes', { answers: ['y'] }, {}, true, 'Sure? yes!\n'],
    ['takes a no', { answers: ['No'] }, {}, false, 'Sure? no!\n'],
    ['takes the end of input for no', {}, {}, false, 'Sure? no!\n'],
    ['takes an empty answer for the default', { answers: [''] }, {}, false, 'Sure? '],
    ['gives up on nonsense', { answers: ['hm', 'y'] }, {}, false, 'Sure? what?\n'],
    [
      'asks again where it may',
      { answers: ['hm', 'y'] },
      { retry: true },
      true,
      'Sure? what?\nagain: yes!\n',
    ],
    ['wants YES where only that counts', { answers: ['yes'] }, { truish: ['YES'] }, false, 'Sure? what?\n'],
    [
      'lets the environment answer',
      { env: { BORG_SURE: '1' } },
      {},
      true,
      'Sure? 1 (from BORG_SURE)\nyes!\n',
    ],
    [
      'asks the user where the environment talks nonsense',
      { env: { BORG_SURE: 'hm' }, answers: ['y'] },
      { retry: true },
      true,
      'Sure? hm (from BORG_SURE)\nwhat?\nagain: yes!\n',
    ],
  ];
  for (const [title, setup, extra, answer, text] of table) {
    it(title, async () => {
      const made = options(setup);
      assert.equal(await new TerminalReporter(made).ask({ ...question, ...extra }), answer);
      assert.equal(made.stderr.text, text);
    });
  }
});

describe('show()', () => {
  for (const Class of [TerminalReporter, JsonReporter]) {
    it(`${Class.name}: is plain text, which no log level holds back`, async () => {
      const text = await said(Class, { level: 'critical' }, (reporter) =>
        reporter.show('what was asked for'),
      );
      assert.equal(text, 'what was asked for\n');
    });
  }
});

describe('sayWork()', () => {
  const setup: Setup = { level: 'info' };

  it('tells of the file at hand', async () => {
    const text = await said(TerminalReporter, setup, (reporter) => {
      reporter.percent('extract', 'Extracting %3.0f%%', 4);
      reporter.working(() => 'a file');
      reporter.sayWork();
    });
    assert.equal(text, 'a file\n');
  });

  it('tells how far the innermost operation is, where no file is at hand and no progress is shown', async () => {
    const text = await said(TerminalReporter, setup, (reporter) => {
      const outer = reporter.percent('prune', 'Pruning archives %3.0f%%', 4);
      outer.advance();
      const inner = reporter.percent('archive.delete', 'Decrementing references %3.0f%%', 2);
      inner.advance();
      reporter.sayWork();
      inner.finish();
      reporter.sayWork();
      outer.finish();
      reporter.sayWork();
    });
    assert.equal(text, 'Decrementing references  50%\nPruning archives  25%\n');
  });
});
