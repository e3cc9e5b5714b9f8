import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEFAULT_CHUNKER_PARAMS,
  InvalidChunkerParams,
  parseChunkerParams,
} from '../../src/chunker/chunker-params.ts';

test('parseChunkerParams() takes every form that Borg takes', () => {
  const table: [string, unknown][] = [
    ['default', DEFAULT_CHUNKER_PARAMS],
    [' Default ', DEFAULT_CHUNKER_PARAMS],
    ['19,23,21,4095', ['buzhash', 19, 23, 21, 4095]],
    ['buzhash,6,8,7,127', ['buzhash', 6, 8, 7, 127]],
    ['BUZHASH, 10,+16,12,4_095', ['buzhash', 10, 16, 12, 4095]],
    ['fixed,64', ['fixed', 64, 0]],
    ['fixed,4194304,512', ['fixed', 4_194_304, 512]],
    ['fixed,20971479,20971479', ['fixed', 20_971_479, 20_971_479]],
  ];
  for (const [text, params] of table) assert.deepEqual(parseChunkerParams(text), params, text);
});

test("parseChunkerParams() refuses anything else with Borg's text", () => {
  const table: [string, string][] = [
    ['', 'invalid chunker params'],
    ['default,1', 'invalid chunker params'],
    ['buzhash', 'invalid chunker params'],
    ['fixed', 'invalid chunker params'],
    ['rabin,1,2,3,4', 'invalid chunker params'],
    ['fixed,63', 'block_size must not be less than 64 Bytes'],
    ['fixed,20971480', 'block_size and header_size must not exceed MAX_DATA_SIZE [20971479]'],
    ['fixed,64,20971480', 'block_size and header_size must not exceed MAX_DATA_SIZE [20971479]'],
    ['fixed,x', "invalid ChunkerParams value: 'fixed,x'"],
    ['fixed,64,1,2', "invalid ChunkerParams value: 'fixed,64,1,2'"],
    ['19,23,24,4095', 'required: chunk_min <= chunk_mask <= chunk_max'],
    ['buzhash,20,23,19,4095', 'required: chunk_min <= chunk_mask <= chunk_max'],
    ['5,23,21,4095', 'min. chunk size exponent must not be less than 6 (2^6 = 64B min. chunk size)'],
    ['19,24,21,4095', 'max. chunk size exponent must not be more than 23 (2^23 = 8MiB max. chunk size)'],
    ['19,23,21,4096', 'window_size must be an uneven (odd) number'],
    ['19,23,21,-1', 'window_size must be positive'],
    ['8,9,8,257', 'too small max_size'],
    ['9,9,9,1', 'too small max_size'],
    ['1.5,2,3,4', "invalid ChunkerParams value: '1.5,2,3,4'"],
  ];
  for (const [text, message] of table) {
    assert.throws(
      () => parseChunkerParams(text),
      (error: unknown) => error instanceof InvalidChunkerParams && error.message === message,
      text,
    );
  }
});
