import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { idHash } from '../../src/crypto/id-hash.ts';
import type { FileWrite } from '../../src/pipeline/file-write.ts';
import { type GivenObject, SealedOpener } from '../../src/pipeline/sealed-opener.ts';
import { Plaintexts } from '../../src/pipeline/plaintexts.ts';
import { writeFiles } from '../../src/pipeline/write-file-contents.ts';
import { noise } from '../noise.ts';
import { material } from './setup.ts';

const STORED = Uint8Array.of(0, 0);

function seal(data: Uint8Array, nonce: number): GivenObject {
  const payload = Buffer.concat([STORED, data]);
  return { id: idHash(material, data), sealed: sealEnvelope(material, BigInt(nonce), payload) };
}

test('writeFiles() writes each file from its own objects, whatever becomes of the files before', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'alcove-write-'));
  t.after(() => rmSync(folder, { recursive: true }));
  // The second file is damaged, and the fourth can't be written.
  const counts = [2, 3, 1, 3, 0, 2, 2];
  const flags = ['w', 'w', 'w', 'r', 'w', 'w', 'w'];
  const datas = counts
    .flatMap((count) => Array.from({ length: count }, () => count))
    .map((_, number) => noise(100 + number, number + 1));
  const objects = datas.map(seal);
  (objects[2]!.sealed as Uint8Array)[50]! ^= 1;
  const paths = counts.map((_, number) => join(folder, String(number)));
  for (const path of paths) writeFileSync(path, '');
  const fds = paths.map((path, number) => openSync(path, flags[number]!));
  t.after(() => fds.forEach((fd) => closeSync(fd)));
  const writes = counts.map((objectCount, number): FileWrite => ({
    path: Buffer.from(paths[number]!),
    objectCount,
    sparse: false,
    target: { fd: fds[number]!, offsetBytes: 0 },
  }));
  const outcomes = writeFiles(new Plaintexts(new SealedOpener(material).openEach(objects)), writes);
  assert.deepEqual(
    outcomes.map(({ isDamaged, error }) => [isDamaged, error?.cause.code]),
    [false, true, false, false, false, false, false].map((isDamaged, number) => [
      isDamaged,
      number === 3 ? 'EBADF' : undefined,
    ]),
  );
  let next = 0;
  for (const [number, count] of counts.entries()) {
    const expected = number === 1 || number === 3 ? [] : datas.slice(next, next + count);
    assert.ok(readFileSync(paths[number]!).equals(Buffer.concat(expected)), `file ${number}`);
    next += count;
  }
});
