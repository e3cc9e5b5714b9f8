import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { scratchFolder } from './scratch.ts';

const at = scratchFolder('tty');
const module = JSON.stringify(new URL('../../src/platform/tty.ts', import.meta.url).href);
const noTerminal = spawnSync('script', ['--version']).error
  ? 'script(1), which makes a terminal, is missing'
  : false;

/** Writes a program that uses tty.ts. */
function program(name: string, body: string): string {
  const path = at(`${name}.mjs`);
  writeFileSync(path, `import { readLine, readSecret } from ${module};\n${body}`);
  return path;
}

const ASK = `
  import { execFileSync } from 'node:child_process';
  process.on('SIGINT', () => console.log('SIGINT seen'));
  const show = async (prompt) => {
    try { console.log('got', JSON.stringify(await readSecret(prompt)) ?? 'nothing'); }
    catch (error) { console.log('threw', error.name); }
  };
  await show('First: ');
  await show('Second: ');
  const settings = execFileSync('stty', ['-a'], { stdio: ['inherit', 'pipe', 'inherit'] }).toString();
  console.log(/ -echo\\b/.test(settings) || / -icanon/.test(settings) ? 'terminal is raw' : 'terminal is fine');
  process.exit(0);`;

/** Runs the program in a terminal, and types each text when its prompt shows. */
async function inTerminal(path: string, typed: readonly [prompt: string, text: string][]): Promise<string> {
  const child = spawn('script', ['-qec', `'${process.execPath}' '${path}'`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  const left = [...typed];
  child.stdout.on('data', (data: Uint8Array) => {
    output += Buffer.from(data).toString();
    if (left.length > 0 && output.includes(left[0]![0])) child.stdin.write(left.shift()![1]);
  });
  await ended(child);
  return output.replaceAll('\r\n', '\n');
}

async function ended(child: ChildProcess): Promise<void> {
  await once(child, 'close');
}

describe('readSecret()', { skip: noTerminal }, () => {
  it('reads lines without showing them, and leaves the terminal as it was', async () => {
    const output = await inTerminal(program('ask', ASK), [
      ['First: ', 'hunter2\r'],
      ['Second: ', 'pässwörd\n'],
    ]);
    assert.equal(output, 'First: \ngot "hunter2"\nSecond: \ngot "pässwörd"\nterminal is fine\n');
  });

  it('knows backspace, Ctrl-U, Ctrl-D, and lines typed ahead', async () => {
    const output = await inTerminal(program('keys', ASK), [
      ['First: ', 'wrong\u0015aé\u007f\u007f\u007fö\u0004x\rahead\r'],
    ]);
    assert.match(output, /got "öx"\nSecond: \ngot "ahead"\nterminal is fine/);
    const end = await inTerminal(program('end', ASK), [
      ['First: ', '\u0004'],
      ['Second: ', '\r'],
    ]);
    assert.match(end, /got nothing\nSecond: \ngot ""\nterminal is fine/);
  });

  it('restores the terminal and raises SIGINT on Ctrl-C', async () => {
    const output = await inTerminal(program('interrupt', ASK), [
      ['First: ', 'abc\u0003'],
      ['Second: ', 'x\r'],
    ]);
    assert.match(output, /SIGINT seen/);
    assert.match(output, /threw AbortError/);
    assert.match(output, /terminal is fine/);
    assert.doesNotMatch(output, /abc/);
  });
});

/** A session of its own has no terminal. */
async function detached(path: string, input: string): Promise<{ output: string; shown: string }> {
  const child = spawn(process.execPath, [path], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let shown = '';
  child.stdout.on('data', (data: Uint8Array) => (output += Buffer.from(data).toString()));
  child.stderr.on('data', (data: Uint8Array) => (shown += Buffer.from(data).toString()));
  child.stdin.end(input);
  await ended(child);
  return { output, shown };
}

describe('readSecret() without a terminal', () => {
  const body = `
    for (const ask of [() => readSecret('Passphrase: '), readLine, readLine]) {
      console.log(JSON.stringify((await ask()) ?? null));
    }
    process.exit(0);`;

  it('reads standard input line by line, up to its end', async () => {
    const path = program('piped', body);
    assert.deepEqual(await detached(path, 'secret\nline\r\nlast'), {
      output: '"secret"\n"line"\n"last"\n',
      shown: 'Passphrase: ',
    });
    assert.equal((await detached(path, '')).output, 'null\nnull\nnull\n');
    assert.equal((await detached(path, '\n')).output, '""\nnull\nnull\n');
  });
});
