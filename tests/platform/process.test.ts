import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  captureOutput,
  prepareSubprocessEnvironment,
  spawnProcess,
  spawnReader,
  spawnWriter,
} from '../../src/platform/process.ts';
import { scratchFolder } from './scratch.ts';

const at = scratchFolder('process');
const env = { PATH: process.env.PATH };

function nextDescriptor(): number {
  const fd = openSync('/dev/null', 'r');
  closeSync(fd);
  return fd;
}

describe('prepareSubprocessEnvironment()', () => {
  it('drops passphrases, sets the version, and keeps the rest', () => {
    const given = {
      PATH: '/bin',
      EMPTY: '',
      NONE: undefined,
      BORG_PASSPHRASE: 'secret',
      BORG_NEW_PASSPHRASE: 'secret',
      BORG_PASSPHRASE_FD: '3',
      BORG_PASSCOMMAND: 'pass show backup',
    };
    assert.deepEqual(prepareSubprocessEnvironment(given, '1.4.5'), {
      PATH: '/bin',
      EMPTY: '',
      BORG_VERSION: '1.4.5',
    });
    assert.equal(given.BORG_PASSPHRASE, 'secret');
  });

  it('gives back the library path that a bundler replaced', () => {
    assert.deepEqual(
      prepareSubprocessEnvironment({ LD_LIBRARY_PATH: '/tmp/x', LD_LIBRARY_PATH_ORIG: '/lib' }),
      {
        LD_LIBRARY_PATH: '/lib',
        LD_LIBRARY_PATH_ORIG: '/lib',
      },
    );
    assert.deepEqual(prepareSubprocessEnvironment({ LD_LIBRARY_PATH: '/lib' }), { LD_LIBRARY_PATH: '/lib' });
  });
});

describe('captureOutput()', () => {
  it('gives long output as bytes, and the exit code', async () => {
    const { output, exitCode } = await captureOutput(['sh', '-c', 'head -c 300000 /dev/zero; exit 3'], env);
    assert.equal(output.length, 300_000);
    assert.equal(exitCode, 3);
  });
});

describe('spawnReader()', () => {
  it('gives a descriptor that a worker thread reads to its end', async () => {
    const reader = spawnReader(['sh', '-c', 'for i in 1 2 3; do echo line $i; sleep 0.02; done'], { env });
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       parentPort.postMessage(require('node:fs').readFileSync(workerData, 'utf8'));`,
      { eval: true, workerData: reader.fd },
    );
    const [output] = (await once(worker, 'message')) as [string];
    assert.equal(output, 'line 1\nline 2\nline 3\n');
    assert.equal(await reader.wait(), 0);
    closeSync(reader.fd);
  });

  it('gives the exit code, also of a program that a signal ended', async () => {
    for (const [script, expected] of [
      ['exit 5', 5],
      ['kill -15 $$', -15],
    ] as const) {
      const reader = spawnReader(['sh', '-c', script], { env });
      assert.equal(readSync(reader.fd, Buffer.alloc(1)), 0);
      assert.equal(await reader.wait(), expected);
      closeSync(reader.fd);
    }
  });

  it('can end the program', async () => {
    const reader = spawnReader(['sleep', '60'], { env });
    reader.kill();
    assert.equal(await reader.wait(), -15);
    closeSync(reader.fd);
  });

  it('reports a missing program at once, and leaks no descriptor', () => {
    const before = nextDescriptor();
    assert.throws(() => spawnReader(['no-such-command'], { env }), {
      code: 'ENOENT',
      path: 'no-such-command',
    });
    assert.throws(() => spawnWriter([''], { env }), { code: 'ENOENT' });
    assert.equal(nextDescriptor(), before);
  });
});

describe('spawnWriter()', () => {
  it('feeds a program until its descriptor is closed', async () => {
    const output = openSync(at('output'), 'w');
    const writer = spawnWriter(['tr', 'a-z', 'A-Z'], { env, stdout: output });
    writeSync(writer.fd, 'shout');
    closeSync(writer.fd);
    assert.equal(await writer.wait(), 0);
    closeSync(output);
    assert.equal(readFileSync(at('output'), 'utf8'), 'SHOUT');
  });
});

describe('spawnProcess()', () => {
  it('can shield the program from Ctrl-C', async () => {
    for (const [ignoreInterrupt, expected] of [
      [false, -2],
      [true, 0],
    ] as const) {
      const reader = spawnReader(['sh', '-c', 'echo up; kill -2 $$; exit 0'], { env, ignoreInterrupt });
      assert.equal(await reader.wait(), expected);
      closeSync(reader.fd);
    }
    assert.throws(() => spawnProcess(['no-such-command'], { env, ignoreInterrupt: true }), {
      code: 'ENOENT',
    });
  });

  it('passes the words as they are', async () => {
    const words = ['a b', '$HOME', '"', "'", '', '*'];
    for (const ignoreInterrupt of [false, true]) {
      const reader = spawnReader(['printf', '%s\\n', ...words], { env, ignoreInterrupt });
      assert.deepEqual(readFileSync(reader.fd, 'utf8').split('\n').slice(0, -1), words);
      assert.equal(await reader.wait(), 0);
      closeSync(reader.fd);
    }
  });
});
