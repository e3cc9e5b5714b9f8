import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type BackupError, BackupOsError, BackupRaceCondition } from '../../../src/archive/backup-error.ts';
import type { InspectedObject } from '../../../src/archive/create/inspector.ts';
import {
  closeDescriptors,
  tellEvents,
  type WalkEvents,
  WalkEventWriter,
} from '../../../src/archive/create/walk-events.ts';
import type { WalkVisitor } from '../../../src/archive/create/tree-walk.ts';
import { type FileStat, lstat } from '../../../src/platform/file-stat.ts';
import { errnoNumber, OsError } from '../../../src/platform/os-error.ts';
import { fromUtf8 } from '../../../src/util/bytes.ts';
import { statFields } from '../../stat-fields.ts';

const path = fromUtf8('some/path');
const { inodeFlags: _, ...stat } = lstat(import.meta.filename);

/** What a visitor in another thread is told of what `say` tells the writer. */
function told(say: (writer: WalkEventWriter) => void): unknown[][] {
  const calls: unknown[][] = [];
  const visitor = new Proxy({} as WalkVisitor, {
    get:
      (_target, name) =>
      (...values: unknown[]) =>
        calls.push([name, ...values.map(plain)]),
  });
  tellEvents(sent(say), visitor);
  return calls;
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('ctimeNs' in value) return statFields(value as FileStat);
  return 'stat' in value ? { ...value, stat: plain(value.stat) } : value;
}

function sent(say: (writer: WalkEventWriter) => void): WalkEvents {
  const writer = new WalkEventWriter();
  say(writer);
  const { message, transfer } = writer.take(true);
  assert.equal(writer.isDue, false);
  return structuredClone(message, { transfer });
}

function toldObject(found: InspectedObject): InspectedObject {
  const [[name, object]] = told((writer) => writer.object(found)) as [[string, InspectedObject]];
  assert.equal(name, 'object');
  return object;
}

describe('tellEvents()', () => {
  it('tells all that was told, in order', () => {
    const attributes = { flags: 2, xattrs: new Map([['user.a', null]]), xattrWarnings: ['w'], acls: {} };
    assert.deepEqual(
      told((writer) => {
        writer.status('x', path);
        writer.directory(path, stat, { flags: 0 });
        writer.directory(path, stat, attributes);
        writer.directoryEnd(path);
      }),
      [
        ['status', 'x', path],
        ['directory', path, stat, { flags: 0 }],
        ['directory', path, stat, attributes],
        ['directoryEnd', path],
      ],
    );
  });

  it('gives back all of an object', () => {
    const found = { path, stat, fd: undefined, linkTarget: undefined, attributes: undefined };
    for (const object of [
      { ...found, pathHash: undefined },
      { ...found, pathHash: undefined, linkTarget: path, attributes: { flags: 0 } },
    ]) {
      assert.deepEqual(toldObject(object), object);
    }
  });

  it('asks for the keys of all that is open at once, and hands each on', () => {
    const asked: Uint8Array[][] = [];
    const objects: InspectedObject[] = [];
    const visitor = {
      object: (object) => objects.push(object),
      status: () => {},
      pathHashes(paths) {
        asked.push([...paths]);
        return paths.map((one) => Uint8Array.of(one.length));
      },
    } as Partial<WalkVisitor> as WalkVisitor;
    const say = (writer: WalkEventWriter): void => {
      writer.object({ path, stat, fd: 3 });
      writer.status('x', fromUtf8('left out'));
      writer.object({ path: fromUtf8('a link'), stat, linkTarget: path });
      writer.object({ path: fromUtf8('other'), stat, fd: 4 });
    };
    tellEvents(sent(say), visitor);
    assert.deepEqual(asked, [[path, fromUtf8('other')]]);
    const hashes = objects.map((object) => object.pathHash);
    assert.deepEqual(hashes, [Uint8Array.of(path.length), undefined, Uint8Array.of(5)]);
  });

  it('keeps times that are beyond 64 bits of nanoseconds', () => {
    const late = { ...stat, mtimeNs: 13_569_465_600_000_000_000n, atimeNs: -(2n ** 65n) };
    assert.deepEqual(toldObject({ path, stat: late }).stat, late);
    const error = new BackupRaceCondition('file inode');
    assert.deepEqual(toldObject({ path, stat: late, attributes: error }).stat, late);
  });

  it('takes what is larger than a message usually is', () => {
    const long = fromUtf8('long/'.repeat(50_000));
    const linkTarget = long;
    assert.deepEqual(toldObject({ path: long, stat, linkTarget }).path, long);
    assert.deepEqual(toldObject({ path, stat, linkTarget }).linkTarget, long);
  });

  it('says the same of errors', () => {
    const cause = new OsError(errnoNumber('EACCES'), 'open', fromUtf8('a/name'));
    for (const error of [
      new BackupOsError('open', cause),
      new BackupOsError('open', cause, fromUtf8('name')),
      new BackupRaceCondition('file type'),
    ]) {
      const [[, , failed]] = told((writer) => writer.failed(path, error)) as [[string, string, BackupError]];
      assert.equal(failed.message, error.message);
      assert.deepEqual(failed.toWarning(path), error.toWarning(path));
      assert.equal(failed.constructor, error.constructor);
    }
  });

  it('leaves to be closed what nobody was told of', () => {
    const [first, second] = [openSync('/', 'r'), openSync('/', 'r')];
    const events = sent((writer) => {
      for (const fd of [first, second]) writer.object({ path, stat, fd });
    });
    const broken = { object: () => assert.fail('broken') } as Partial<WalkVisitor> as WalkVisitor;
    assert.throws(() => tellEvents(events, broken), /broken/);
    closeDescriptors(events);
    closeDescriptors(events);
    fstatSync(first);
    closeSync(first);
    assert.throws(() => fstatSync(second), { code: 'EBADF' });
  });
});
