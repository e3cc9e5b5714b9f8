import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readReport, type RowsReport } from '../../bench/results.ts';

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

function workFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'alcove-bench-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `onError` is told what it has said on its standard error so far. */
function bench(args: readonly string[], onError?: (text: string, kill: () => void) => void): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.stderr += text;
    onError?.(texts.stderr, () => child.kill('SIGINT'));
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...texts })));
}

const small = ['--programs', 'alcove', '--scale', '0.0005', '--runs', '1', '--warm-ups', '0', '--no-limits'];

describe('bench', { skip: process.platform !== 'linux' && 'it looks up memory in /proc' }, () => {
  it('tells what more cores would bring', async (t) => {
    const work = workFolder(t);
    const output = join(work, 'report.json');
    const args = ['model', '--scale', '0.0005', '--runs', '1', '--warm-ups', '0', '--only', 'create-tree'];
    const { code, stdout, stderr } = await bench([...args, '--work', work, '--output', output]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\| row +\| measured with \d+ cores, s/);
    assert.match(stdout, /\n\| create, tree, first time +\| \d/);
    const { kind, rows } = readReport(output) as RowsReport;
    assert.equal(kind, 'model');
    assert.equal(rows[0]!.programs['alcove']!.otherThreadsSeconds!.length, 1);
  });

  it('measures rows, writes a table and a report, and leaves only the corpora', async (t) => {
    const work = workFolder(t);
    const output = join(work, 'report.json');
    const args = [...small, '--only', 'version,create-tree', '--work', work, '--output', output];
    const { code, stdout, stderr } = await bench(args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\| row +\| alcove, s/);
    assert.match(stdout, /\n\| create, tree, first time +\| \d/);
    const { rows, programs } = readReport(output) as RowsReport;
    assert.deepEqual(
      programs.map(({ name }) => name),
      ['alcove'],
    );
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['create-tree', 'version'],
    );
    const { seconds, cpuSeconds, peakBytes } = rows[0]!.programs['alcove']!;
    assert.deepEqual([seconds.length, cpuSeconds.length, peakBytes.length], [1, 1, 1]);
    assert.ok(seconds[0]! > 0 && cpuSeconds[0]! > 0);
    assert.ok(peakBytes[0]! > 2 ** 20, `${peakBytes[0]} bytes`);
    assert.deepEqual(readdirSync(work).toSorted(), ['corpora', 'report.json']);
  });

  it('ends at an interrupt, with its programs, and cleans up', async (t) => {
    const work = workFolder(t);
    let sent = false;
    // Warm-ups that nobody waits for: only the interrupt ends it.
    const args = [...small, '--only', 'version', '--work', work, '--warm-ups', '1000000'];
    const { code, stderr } = await bench(args, (text, interrupt) => {
      if (sent || !text.includes('warm-up')) return;
      sent = true;
      interrupt();
    });
    assert.equal(code, 2);
    assert.match(stderr, /bench: ended by SIGINT\n$/);
    assert.deepEqual(readdirSync(work), []);
  });

  it('says which rows there are not', async () => {
    const { code, stderr } = await bench(['--only', 'create-tee']);
    assert.deepEqual([code, stderr], [2, 'bench: no such row: create-tee; --list tells which there are\n']);
  });
});
