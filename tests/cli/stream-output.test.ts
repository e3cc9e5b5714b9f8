import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamOutput } from '../../src/cli/output/stream-output.ts';

function outputTo(written: Buffer[], isTerminal = false): StreamOutput {
  return new StreamOutput({
    isTerminal,
    columns: () => 80,
    writeAll: (data) => void written.push(Buffer.from(data)),
  });
}

test('StreamOutput writes text and bytes in the order in which they came', () => {
  const written: Buffer[] = [];
  const output = outputTo(written);
  output.write('a');
  output.write('ü\n');
  const bytes = Uint8Array.of(0xff, 0x0a);
  output.write(bytes);
  bytes.fill(0);
  output.write('z');
  assert.equal(written.length, 0);
  output.flush();
  output.flush();
  assert.deepEqual(written, [Buffer.concat([Buffer.from('aü\n'), Buffer.of(0xff, 0x0a), Buffer.from('z')])]);
});

test('StreamOutput makes question marks of surrogates, also of two that meet', () => {
  const written: Buffer[] = [];
  const output = outputTo(written);
  for (const text of ['\ud83d', '\ude00', 'a\udcff']) output.write(text);
  output.flush();
  assert.equal(String(written), '??a?');
});

test('StreamOutput writes when much has been gathered, to a terminal at once', () => {
  const lines: Buffer[] = [];
  const toFile = outputTo(lines);
  for (let line = 0; line < 20; line++) toFile.write('x'.repeat(1024));
  assert.deepEqual(lines, [Buffer.from('x'.repeat(16_384))]);
  const shown: Buffer[] = [];
  const toTerminal = outputTo(shown, true);
  for (const text of ['one', 'two']) toTerminal.write(text);
  assert.deepEqual(shown.map(String), ['one', 'two']);
});

test('StreamOutput gathers little, writes much behind it, and forgets what comes after the reader left', async () => {
  const written: string[] = [];
  const gone = Object.assign(new Error('nobody reads'), { code: 'EPIPE' });
  let isRead = true;
  const output = new StreamOutput({
    isTerminal: false,
    columns: () => 80,
    writeAll: () => assert.fail('what is much must not be written without hearing signals'),
    writeMuch: async (data) => {
      await Promise.resolve();
      if (!isRead) throw gone;
      written.push(`${data.length}`);
    },
  });
  const { signal } = new AbortController();
  await output.writeMuch(new Uint8Array(10), signal);
  assert.deepEqual(written, []);
  await output.writeMuch(new Uint8Array(70_000), signal);
  assert.deepEqual(written, ['10', '70000']);
  isRead = false;
  await output.writeMuch(new Uint8Array(70_000), signal);
  await output.writeMuch(new Uint8Array(70_000), signal);
  output.write('more');
  output.flush();
  assert.deepEqual(written, ['10', '70000']);
});
