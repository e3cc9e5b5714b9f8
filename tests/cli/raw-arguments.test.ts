import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDamaged, lastArguments } from '../../src/cli/raw-arguments.ts';
import { encodeSurrogateEscaped } from '../../src/util/surrogate-escape.ts';

describe('lastArguments()', () => {
  it('keeps bytes that are not UTF-8', () => {
    const commandLine = Buffer.from('node\0/bin/alcove\0create\0r::a\0x\xff\0', 'latin1');
    const argv = lastArguments(commandLine, 3);
    assert.deepEqual(argv.slice(0, 2), ['create', 'r::a']);
    assert.deepEqual(encodeSurrogateEscaped(argv[2]!), Uint8Array.of(0x78, 0xff));
  });

  it('keeps empty arguments, and gives none where none are wanted', () => {
    assert.deepEqual(lastArguments(Buffer.from('node\0x\0\0'), 2), ['x', '']);
    assert.deepEqual(lastArguments(Buffer.from('node\0x\0'), 0), []);
  });
});

describe('isDamaged()', () => {
  it('sees where Node had to replace bytes', () => {
    assert.equal(isDamaged(['create', 'x\ufffd']), true);
    assert.equal(isDamaged(['create', 'é']), false);
  });
});
