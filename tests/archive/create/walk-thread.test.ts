import assert from 'node:assert/strict';
import { linkSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attributes } from '../../../src/archive/create/attributes.ts';
import {
  type InspectedObject,
  Inspector,
  type InspectorOptions,
} from '../../../src/archive/create/inspector.ts';
import { TreeWalk, type WalkVisitor } from '../../../src/archive/create/tree-walk.ts';
import { WalkThread } from '../../../src/archive/create/walk-thread.ts';
import { BackupError } from '../../../src/archive/backup-error.ts';
import { parsePatternCommand, type PatternRule } from '../../../src/archive/patterns/pattern-command.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { type FileStat, fstat } from '../../../src/platform/file-stat.ts';
import { makeFifo } from '../../../src/platform/write-file.ts';
import { closeFile } from '../../../src/platform/open-file.ts';
import { setXattr } from '../../../src/platform/xattr.ts';
import { CACHE_TAG_CONTENTS } from '../../../src/platform/home.ts';
import { fromUtf8, toHex, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { openBelow } from '../../platform/scratch.ts';
import { statFields } from '../../stat-fields.ts';
import { Scratch } from '../scratch.ts';

/** Keeps what it is told, as text. */
class Recorder implements WalkVisitor {
  readonly lines: string[] = [];

  directory(path: Uint8Array, stat: FileStat, attributes: Attributes): void {
    this.#add('directory', path, stat, attributes);
  }
  directoryEnd(path: Uint8Array): void {
    this.#add('end', path);
  }
  object({ path, stat, fd, ...rest }: InspectedObject): void {
    if (fd !== undefined) {
      assert.equal(fstat(fd).ino, stat.ino);
      closeFile(fd);
    }
    this.#add('object', path, stat, { isOpen: fd !== undefined, ...rest });
  }
  status(letter: string, path: Uint8Array): void {
    this.#add(letter, path);
  }
  failed(path: Uint8Array, error: BackupError): void {
    this.#add('failed', path, undefined, { warning: error.toWarning(path) });
  }

  #add(what: string, path: Uint8Array, stat?: FileStat, more: object = {}): void {
    // Looked at while it is walked: of some file systems the time of last access is another one then.
    const facts = { ...(stat && statFields(stat)), atimeNs: 0n, ...more };
    this.lines.push(`${what} ${toUtf8Lossy(path)} ${JSON.stringify(facts, showValue)}`);
  }
}

function showValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Map) return [...value];
  if (value instanceof BackupError) return value.message;
  return value instanceof Error ? `${value.constructor.name}: ${value.message}` : value;
}

interface Setup {
  readonly patterns?: readonly string[];
  readonly inspection?: Partial<InspectorOptions>;
  /** Then files are looked at before they are opened. */
  readonly excludeNodump?: boolean;
  /** Called when the root was listed, and nothing in it was looked at. */
  readonly meanwhile?: () => void;
}

/** The walk of `source`, here or by a thread, as it is told to a visitor. */
async function walked(scratch: Scratch, byThread: boolean, setup: Setup = {}): Promise<string[]> {
  const { walk, thread, recorder } = prepare(scratch, setup);
  await using _ = thread;
  const steps = walk.walk(fromUtf8('source'), undefined);
  const rest = byThread ? thread.begin(walk, steps) : steps;
  rest.next();
  if (byThread) while (!thread.isReady) await sleep(5);
  setup.meanwhile?.();
  for (const _ of rest);
  const before = recorder.lines.length;
  for await (const _ of thread.goOn(recorder));
  assert.equal(recorder.lines.length > before, byThread, 'the thread has its part, or none');
  return recorder.lines;
}

function prepare(scratch: Scratch, { patterns = [], inspection, excludeNodump = false }: Setup) {
  const rules: PatternRule[] = [];
  for (const line of patterns) {
    const command = parsePatternCommand(line);
    if (command.kind === 'rule') rules.push(command.rule);
  }
  const inspectorOptions: InspectorOptions = {
    cwd: fromUtf8(scratch.path),
    readSpecial: false,
    noFlags: false,
    noXattrs: false,
    noAcls: false,
    numericIds: false,
    attributesAhead: true,
    ...inspection,
  };
  const options = {
    cwd: fromUtf8(scratch.path),
    excludeCaches: true,
    excludeIfPresent: [fromUtf8('.nobackup')],
    keepExcludeTags: true,
    excludeNodump,
  };
  const matcher = PatternMatcher.build(rules);
  const recorder = new Recorder();
  const walk = new TreeWalk({ ...options, matcher }, new Inspector(inspectorOptions), recorder);
  const signal = new AbortController().signal;
  const thread = new WalkThread({
    walk: options,
    matcher,
    inspection: inspectorOptions,
    afterSteps: 0,
    signal,
  });
  return { walk, thread, recorder };
}

function plant(scratch: Scratch): void {
  for (let number = 0; number < 150; number++) scratch.write(`source/many/${number}`, 'x'.repeat(number));
  for (let depth = 1, path = 'source/deep'; depth < 20; depth++, path += '/d') scratch.write(`${path}/f`, '');
  scratch.write('source/cache/CACHEDIR.TAG', CACHE_TAG_CONTENTS);
  scratch.write('source/cache/big', '');
  scratch.write('source/marked/.nobackup', '');
  scratch.write('source/marked/file', '');
  scratch.write(`source/${'long name '.repeat(20)}/é`, '');
  mkdirSync(scratch.join('source/empty'));
  symlinkSync('many/1', scratch.join('source/link'));
  linkSync(scratch.join('source/many/1'), scratch.join('source/second name'));
  makeFifo(scratch.join('source/fifo'));
  try {
    setXattr(scratch.join('source/many/3'), 'user.note', fromUtf8('kept'));
    setXattr(scratch.join('source/many'), 'user.note', fromUtf8('kept'));
  } catch {
    // Not all file systems have attributes: then there are none to compare.
  }
}

describe('WalkThread', () => {
  const variants: Record<string, Setup> = {
    'of all that there is': {},
    'with patterns': {
      patterns: ['- source/many/*7', '+ source/deep/d/d', '- source/deep', '! source/empty', '- re:[0-9]9'],
    },
    'with no attributes': {
      inspection: { attributesAhead: false, noXattrs: true, noAcls: true },
    },
    'without what is marked as not to be kept': { excludeNodump: true },
  };
  for (const [name, setup] of Object.entries(variants)) {
    it(`tells what a walk on the main thread tells, ${name}`, async () => {
      using scratch = new Scratch();
      plant(scratch);
      const expected = await walked(scratch, false, setup);
      assert.ok(expected.length > 150);
      assert.deepEqual(await walked(scratch, true, setup), expected);
    });
  }

  it('tells the same of what was taken away or replaced since its folder was listed', async () => {
    const lines: string[][] = [];
    for (const byThread of [false, true]) {
      using scratch = new Scratch();
      for (const name of ['a', 'b', 'c', 'd']) scratch.write(`source/${name}`, '');
      scratch.write('source/folder/file', '');
      const meanwhile = (): void => {
        for (const name of ['a', 'b', 'folder']) rmSync(scratch.join('source', name), { recursive: true });
        symlinkSync('/nowhere', scratch.join('source/b'));
        scratch.write('source/folder', 'a file now');
      };
      const told = await walked(scratch, byThread, { meanwhile });
      // The rest is as good as the one of a walk that nobody disturbs.
      lines.push(
        told.map((line) => (line.startsWith('failed') ? line : line.replace(/ \{.*/, ''))).toSorted(),
      );
    }
    assert.deepEqual(lines[1], lines[0]);
    const failure = lines[1]!.find((line) => line.startsWith('failed'));
    assert.match(failure!, /"source\/a: stat: \[Errno 2\] .*: 'a'".*BackupFileNotFoundError/);
    assert.ok(lines[1]!.includes('E source/a'));
  });

  it('tells the same whether files are looked at before they are opened, or not', async () => {
    using scratch = new Scratch();
    plant(scratch);
    const expected = await walked(scratch, false, { excludeNodump: true });
    assert.deepEqual(await walked(scratch, false), expected);
  });

  it('closes all descriptors where the walk is left', { skip: process.platform !== 'linux' }, async () => {
    using scratch = new Scratch();
    plant(scratch);
    {
      const { walk, thread, recorder } = prepare(scratch, {});
      await using _ = thread;
      const steps = thread.begin(walk, walk.walk(fromUtf8('source'), undefined));
      steps.next();
      while (!thread.isReady) await sleep(5);
      for (const _ of steps);
      assert.notDeepEqual(openBelow(scratch.path), []);
      for await (const _ of thread.goOn(recorder)) if (recorder.lines.length > 1) break;
    }
    assert.deepEqual(openBelow(scratch.path), []);
  });

  it('takes a walk over at its first step where it was started before, and ends when it is told to', async () => {
    using scratch = new Scratch();
    plant(scratch);
    const { walk, thread, recorder } = prepare(scratch, {});
    await using _ = thread;
    thread.start();
    while (!thread.isReady) await sleep(5);
    const steps = thread.begin(walk, walk.walk(fromUtf8('source'), undefined));
    assert.equal([...steps].length, 1);
    for await (const _ of thread.goOn(recorder));
    assert.ok(recorder.lines.some((line) => line.startsWith('end source ')));
    thread.end();
  });

  it('closes what it was given where it is not used', { skip: process.platform !== 'linux' }, async () => {
    using scratch = new Scratch();
    plant(scratch);
    {
      const { walk, thread } = prepare(scratch, {});
      await using _ = thread;
      const steps = thread.begin(walk, walk.walk(fromUtf8('source'), undefined));
      steps.next();
      while (!thread.isReady) await sleep(5);
      for (const _ of steps);
    }
    assert.deepEqual(openBelow(scratch.path), []);
  });
});
