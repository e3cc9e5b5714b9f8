import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerLog } from '../../src/remote/server-log.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';
import { SilentReporter } from '../../src/util/reporter.ts';

function shown(...pieces: (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const log = new ServerLog(
    Object.assign(new SilentReporter(), {
      log: (level: string, message: string, options: { logger?: string; msgid?: string } = {}) =>
        void lines.push([level, options.logger, options.msgid, message].join('|')),
      relayLine: (text: string, isProgress: boolean) =>
        void lines.push(`${isProgress ? 'progress' : 'line'}|${text}`),
      relayProgress: (progress: unknown) => void lines.push(JSON.stringify(progress)),
    }),
  );
  for (const piece of pieces) log.feed(typeof piece === 'string' ? fromUtf8(piece) : piece);
  log.end();
  return lines;
}

describe('ServerLog', () => {
  it('shows log lines of JSON at their level, with their logger and msgid', () => {
    const record = {
      type: 'log_message',
      levelname: 'INFO',
      name: 'borg.repository',
      msgid: 'x',
      message: 'done',
    };
    assert.deepEqual(shown(`${JSON.stringify(record)}\n`), ['info|borg.repository|x|Remote: done']);
    assert.deepEqual(shown('{"type":"log_message","levelname":"LOUD","message":"a\\u001bb"}\n'), [
      'critical|root||Remote: a\u{FFFD}b',
    ]);
  });

  it('relays progress of JSON', () => {
    const record = {
      type: 'progress_percent',
      operation: 1,
      msgid: 'compact',
      finished: false,
      message: ' 5%',
    };
    const [line] = shown(`${JSON.stringify({ ...record, current: 5, total: 100 })}\n`);
    assert.deepEqual(JSON.parse(line!), { ...record, message: 'Remote:  5%', current: 5, total: 100 });
  });

  it('warns of JSON of another type, and takes what is no JSON for a line', () => {
    assert.match(
      shown('{"type":"x"}\n')[0]!,
      /^warning\|borg.remote\|\|Dropped remote log message with unknown type "x"/,
    );
    assert.deepEqual(shown('{"type"\n'), ['line|Remote: {"type"']);
  });

  it('shows the log lines of older servers', () => {
    assert.deepEqual(shown('$LOG INFO Remote: one\n$LOG ERROR borg.x Remote: two\n'), [
      'info|root||Remote: one',
      'error|borg.x||Remote: two',
    ]);
  });

  it('puts lines together that come in pieces, also within a character', () => {
    const bytes = fromUtf8('größe\nend');
    assert.deepEqual(shown(bytes.subarray(0, 3), bytes.subarray(3)), [
      'line|Remote: größe',
      'line|Remote: end',
    ]);
  });

  it('tells progress by its carriage return', () => {
    assert.deepEqual(shown('10%\r20%\rdone\r\n'), [
      'progress|Remote: 10%',
      'progress|Remote: 20%',
      'line|Remote: done',
    ]);
  });

  it('replaces what a terminal would obey', () => {
    assert.deepEqual(shown('\u001b]0;x\u0007\u009b1m\n'), ['line|Remote: \u{FFFD}]0;x\u{FFFD}\u{FFFD}1m']);
  });
});
