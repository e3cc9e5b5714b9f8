import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { OutputFile } from '../../src/platform/output-file.ts';
import { scratchFolder } from './scratch.ts';

const at = scratchFolder('output-file');

test('OutputFile replaces what was there by all that was written', () => {
  writeFileSync(at('file'), 'x'.repeat(1_000_000));
  const piece = 'é'.repeat(1000);
  using file = new OutputFile(at('file'));
  for (let i = 0; i < 200; i++) file.write(piece);
  file.close();
  assert.equal(readFileSync(at('file'), 'utf8'), piece.repeat(200));
});

test('OutputFile keeps what was written before an error', () => {
  assert.throws(() => {
    using file = new OutputFile(at('partial'));
    file.write('before');
    throw new Error('then');
  }, /^Error: then$/);
  assert.equal(readFileSync(at('partial'), 'utf8'), 'before');
});

test('OutputFile says where it can not be', () => {
  assert.throws(() => new OutputFile(at('no/such/folder')), { code: 'ENOENT' });
});
