import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { decodeLoggingConfig } from '../../../src/cli/logging/logging-config.ts';
import { formatRecord, LogRouter, type LogRecord } from '../../../src/cli/logging/log-router.ts';
import { LogFilter } from '../../../src/cli/output/log-filter.ts';
import { FAKE_NOW_NS } from '../fake-io.ts';

/** A configuration with one logger, handler and formatter, and other lines in place of some of them. */
function configText(changes: Readonly<Record<string, string>> = {}): string {
  const sections: Record<string, string> = {
    loggers: 'keys=root',
    handlers: 'keys=h',
    formatters: 'keys=f',
    logger_root: 'level=INFO\nhandlers=h',
    handler_h: "class=FileHandler\nlevel=WARNING\nformatter=f\nargs=('log', 'w')",
    formatter_f: 'format=%(levelname)s %(message)s\ndatefmt=\nclass=logging.Formatter',
    ...changes,
  };
  return Object.entries(sections)
    .map(([name, lines]) => `[${name}]\n${lines}\n`)
    .join('\n');
}

const record = (changes: Partial<LogRecord> = {}): LogRecord => ({
  level: 'warning',
  logger: 'borg.archiver',
  message: 'look',
  timeNs: FAKE_NOW_NS + 7_000_000n,
  pid: 42,
  ...changes,
});

/** What is written where, as `target: text`. */
function routed(text: string, ...records: LogRecord[]): string[] {
  const written: string[] = [];
  const router = new LogRouter(decodeLoggingConfig(text), {
    stdout: (line) => written.push(`stdout: ${line}`),
    stderr: (line) => written.push(`stderr: ${line}`),
    openFile: (path, append) => (line) => written.push(`${path} (${append ? 'a' : 'w'}): ${line}`),
  });
  for (const each of records) router.write(each);
  return written;
}

describe('decodeLoggingConfig()', () => {
  it('reads loggers, handlers and formatters', () => {
    const handler = { target: { path: 'log', append: false }, level: 'warning' };
    const form = { format: '%(levelname)s %(message)s', dateFormat: '' };
    const root = { level: 'info', handlers: [{ ...handler, ...form }], propagate: true };
    assert.deepEqual(decodeLoggingConfig(configText()).loggers, new Map([['', root]]));
  });

  const refused: [string, Record<string, string>, RegExp][] = [
    [
      'another handler',
      { handler_h: 'class=handlers.SysLogHandler' },
      /\[handler_h\] class: .*SysLogHandler/,
    ],
    ['no handler class', { handler_h: 'args=()' }, /\[handler_h\] class: cannot use an empty value/],
    ['another expression', { handler_h: 'class=StreamHandler\nargs=(open("x"),)' }, /\[handler_h\] args/],
    ['a mode that reads', { handler_h: "class=FileHandler\nargs=('x', 'r')" }, /\[handler_h\] args/],
    ['keyword arguments', { handler_h: "class=StreamHandler\nkwargs={'a': 1}" }, /\[handler_h\] kwargs/],
    ['a level that is none', { logger_root: 'level=LOUD\nhandlers=h' }, /\[logger_root\] level: .*LOUD/],
    ['a handler that is missing', { logger_root: 'handlers=h,i' }, /\[logger_root\] handlers: cannot use i/],
    ['a section that is missing', { loggers: 'keys=root,x' }, /\[logger_x\] is missing/],
    ['no root', { loggers: 'keys=' }, /\[loggers\] keys: there is no root/],
    ['a key that is unknown', { formatter_f: 'defaults={}' }, /\[formatter_f\] defaults/],
    ['another field', { formatter_f: 'format=%(thread)d' }, /\[formatter_f\] format: .*thread/],
    ['another style', { formatter_f: 'format={message}\nstyle={' }, /\[formatter_f\] style/],
    ['another formatter class', { formatter_f: 'class=my.Formatter' }, /\[formatter_f\] class/],
  ];
  for (const [what, changes, message] of refused) {
    it(`refuses ${what}, and names it`, () => {
      assert.throws(() => decodeLoggingConfig(configText(changes)), { name: 'LoggingConfigError', message });
    });
  }
});

describe('LogRouter', () => {
  it('leaves out what is below the level of a handler', () => {
    assert.deepEqual(routed(configText(), record(), record({ level: 'info' })), ['log (w): WARNING look\n']);
  });

  it('hands lines on to loggers above, unless told not to', () => {
    const above = {
      loggers: 'keys=root,borg,quiet',
      handlers: 'keys=h,out,err',
      handler_out: 'class=logging.StreamHandler\nargs=(sys.stdout,)',
      handler_err: 'class=StreamHandler\nargs=()',
      logger_borg: 'qualname=borg\nhandlers=out',
      logger_quiet: 'qualname=borg.output.list\nhandlers=err\npropagate=0',
    };
    const lines = routed(configText(above), record(), record({ logger: 'borg.output.list' }));
    assert.deepEqual(lines, ['stdout: look\n', 'log (w): WARNING look\n', 'stderr: look\n']);
  });
});

function form(format: string, dateFormat = ''): string {
  return formatRecord(record(), { target: 'stderr', level: undefined, format, dateFormat });
}

describe('formatRecord()', () => {
  it('fills in all fields', () => {
    assert.equal(form('%(name)s|%(levelname)-8s|%(process)06d|%%'), 'borg.archiver|WARNING |000042|%');
    assert.match(form('%(asctime)s'), /^2026-11-2\d \d\d:\d\d:00,007$/);
    assert.match(form('%(asctime)s', '%Y/%m'), /^2026\/11$/);
  });
});

function filter(logger: string): LogFilter {
  const config = decodeLoggingConfig(
    configText({
      loggers: 'keys=root,a,b',
      logger_root: logger,
      logger_a: 'qualname=borg.a\nlevel=ERROR\nhandlers=h',
      logger_b: 'qualname=borg.b\nlevel=NOTSET\nhandlers=h',
    }),
  );
  const settings = { level: 'debug', debugTopics: [], list: true, showVersion: false } as const;
  return new LogFilter({ ...settings, showRc: false, stats: false, progress: false }, config);
}

describe('LogFilter', () => {
  it('takes levels from the configuration, but for those of options that ask for output', () => {
    const made = filter('level=INFO\nhandlers=h');
    assert.equal(made.shows('debug', 'borg.archiver'), false);
    assert.equal(made.shows('info', 'borg.b'), true);
    assert.equal(made.shows('warning', 'borg.a.x'), false);
    assert.equal(made.shows('info', 'borg.output.list'), true);
  });

  it('begins with WARNING where root has no level, and with all where it is NOTSET', () => {
    assert.equal(filter('handlers=h').shows('info', 'borg.archiver'), false);
    assert.equal(filter('level=NOTSET\nhandlers=h').shows('debug', 'borg.archiver'), true);
  });
});
