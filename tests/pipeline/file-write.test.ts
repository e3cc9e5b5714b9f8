import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeOutcomes,
  decodeWrites,
  encodeOutcomes,
  encodeWrites,
  type FileOutcome,
  type FileWrite,
} from '../../src/pipeline/file-write.ts';
import { OsError } from '../../src/platform/os-error.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';

const attributes = { uid: 0, gid: 2 ** 32 - 2, mode: 0o104755, atimeNs: -1n, mtimeNs: 2n ** 62n };

test('decodeWrites() gives what encodeWrites() took', () => {
  const xattrs = new Map([['user.x', null]]);
  const acls = { aclAccess: fromUtf8('user::rw-\n') };
  const writes: FileWrite[] = [
    {
      path: Uint8Array.of(0x64, 0x2f, 0xff),
      objectCount: 3,
      sparse: true,
      target: {
        at: { directoryFd: 7, name: Uint8Array.of(0xff) },
        attributes: { ...attributes, bsdFlags: 0 },
      },
    },
    { path: fromUtf8('ü'), objectCount: 1, sparse: false, target: { fd: 0, offsetBytes: 2 ** 40 } },
    {
      path: fromUtf8('z'),
      objectCount: 0,
      sparse: false,
      target: {
        at: { directoryFd: 9, name: fromUtf8('z') },
        attributes: { ...attributes, bsdFlags: undefined, acls, xattrs, numericIds: true },
      },
    },
    { path: fromUtf8('z'), objectCount: 1, sparse: true, target: { fd: 5, offsetBytes: 0 } },
    // In the year 2400, which is more nanoseconds than int64 takes.
    ...[{ mtimeNs: 13_569_465_600n * 10n ** 9n }, { atimeNs: -(2n ** 63n) - 1n }].map((times) => ({
      path: fromUtf8('y'),
      objectCount: 1,
      sparse: false,
      target: {
        at: { directoryFd: 9, name: fromUtf8('y') },
        attributes: { ...attributes, bsdFlags: 1, ...times },
      },
    })),
  ];
  const sent = structuredClone(encodeWrites(writes));
  assert.deepEqual(plain([...decodeWrites(sent)]), plain(writes));
});

test('decodeOutcomes() gives what encodeOutcomes() took', () => {
  const cause = new OsError(28, 'write', fromUtf8('d/f'));
  const outcomes: FileOutcome[] = [
    { sizeBytes: 2 ** 40, isDamaged: false, warnings: [] },
    { sizeBytes: 0, isDamaged: true, warnings: [] },
    { sizeBytes: 5, isDamaged: false, warnings: ['one', 'two'] },
    { sizeBytes: 0, isDamaged: false, warnings: [], error: { operation: 'write', cause } },
  ];
  const received = decodeOutcomes(structuredClone(encodeOutcomes(outcomes)));
  assert.deepEqual(
    received.map(({ sizeBytes, isDamaged, warnings }) => ({ sizeBytes, isDamaged, warnings })),
    outcomes.map(({ sizeBytes, isDamaged, warnings }) => ({ sizeBytes, isDamaged, warnings })),
  );
  assert.deepEqual(
    received.map(({ error }) => error?.operation),
    [undefined, undefined, undefined, 'write'],
  );
  const { code, errno, syscall, message } = received[3]!.error!.cause;
  assert.deepEqual([code, errno, syscall, message], [cause.code, cause.errno, cause.syscall, cause.message]);
});

/** Bytes as texts, and without what is undefined. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (value instanceof Map) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const known = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(known.map(([key, one]) => [key, plain(one)]));
}
