import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientReporter } from '../../src/cli/output/client-reporter.ts';
import { LogFilter } from '../../src/cli/output/log-filter.ts';
import { FakeOutput } from './fake-io.ts';

function reporterTo(stderr: FakeOutput, json = false): ClientReporter {
  const shown = { list: false, showVersion: false, showRc: false, stats: false, progress: true };
  const filter = new LogFilter({ level: 'info', debugTopics: [], ...shown });
  const options = { stderr, env: {}, filter, progress: true, list: false, iec: false };
  const asks = { nowNs: () => 0n, readLine: () => Promise.reject(new Error('nobody is asked')) };
  return new ClientReporter({ ...options, ...asks }, json);
}

describe('ClientReporter', () => {
  it('marks log lines and progress for clients of Borg 1.0', () => {
    const stderr = new FakeOutput();
    const reporter = reporterTo(stderr);
    reporter.log('warning', 'two\nlines', { logger: 'borg.repository' });
    reporter.log('debug', 'hidden');
    const percent = reporter.percent('check', 'Checking %3.0f%%', 2);
    percent.advance();
    percent.finish();
    const message = reporter.message('cache');
    message.show('busy');
    message.finish();
    assert.equal(
      stderr.text,
      '$LOG WARNING borg.repository Remote: two\nlines\n' +
        '$LOG INFO borg.output.progress Remote: Checking   0%\r' +
        '$LOG INFO borg.output.progress Remote: \r' +
        '$LOG INFO borg.output.progress Remote: busy\r' +
        '$LOG INFO borg.output.progress Remote: \r',
    );
  });

  it('speaks JSON as soon as the client is known to understand it, or as it was told to', () => {
    const stderr = new FakeOutput();
    const reporter = reporterTo(stderr);
    reporter.log('error', 'before');
    reporter.speakJson();
    reporter.log('error', 'after');
    reporter.message('cache').show('busy');
    reporterTo(stderr, true).log('error', 'told to');
    const [text, ...records] = stderr.lines;
    assert.match(text!, /^\$LOG ERROR /);
    const messages = records.map((line) => (JSON.parse(line) as { message: string }).message);
    assert.deepEqual(messages, ['after', 'busy', 'told to']);
  });

  it('asks nobody', async () => {
    const stderr = new FakeOutput();
    assert.equal(await reporterTo(stderr).ask({ text: 'Sure?', env: 'SURE' }), false);
    assert.equal(await reporterTo(stderr).ask({ text: 'Sure?', env: 'SURE', default: true }), true);
    assert.equal(stderr.text, '');
  });
});
