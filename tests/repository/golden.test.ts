import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import type { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { readWholeFile } from '../../src/store/whole-file.ts';
import { dataOf, idOf, identity, testContext } from './fakes.ts';

type Operation =
  | ['put', number: number, name: number, sizeBytes: number]
  | ['delete', number: number]
  | ['commit']
  | ['compact', threshold: number, cleanupCommits: boolean];

/** Made by scripts/make-segment-log-vectors.py. */
const vectors = new URL('../vectors/segment-log.json', import.meta.url);
const cases = JSON.parse(readFileSync(vectors, 'utf8')) as {
  operations: Operation[];
  files: Record<string, string>;
}[];

describe('SegmentRepository', () => {
  for (const [number, { operations, files }] of cases.entries()) {
    it(`leaves the very files that Borg leaves after the same operations, case ${number}`, async () => {
      const store = new MemoryStore();
      const made = await createRepositoryIn(testContext(), store, { identity: identity() });
      const values = made.config.ini.get('repository')!;
      values.set('max_segment_size', '1000').set('segments_per_dir', '5').set('id', '00'.repeat(32));
      values.delete('key');
      await made.saveKey('x');
      await made.close();
      const repository = await openRepositoryIn(testContext(), store, {
        identity: identity(),
        exclusive: true,
      });
      for (const operation of operations) await operate(repository, operation);
      await repository.close();
      const { config: _config, ...expected } = files;
      const { config: _ours, ...found } = digests(store, '');
      assert.deepEqual(found, expected);
    });
  }
});

async function operate(repository: SegmentRepository, operation: Operation): Promise<void> {
  switch (operation[0]) {
    case 'put':
      return repository.put(idOfNumber(operation[1]), dataOf(operation[2], operation[3]));
    case 'delete':
      return repository.delete(idOfNumber(operation[1]));
    case 'commit':
      return repository.commit();
    default:
      return repository.commit({ compact: true, threshold: operation[1], cleanupCommits: operation[2] });
  }
}

function idOfNumber(number: number): Uint8Array {
  return number < 0 ? MANIFEST_ID : idOf(number);
}

function digests(store: MemoryStore, folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { name, kind } of store.list(folder)) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kind === 'folder') Object.assign(files, digests(store, path));
    else
      files[path] = createHash('sha256')
        .update(readWholeFile(store, path, 1e8))
        .digest('hex');
  }
  return files;
}
