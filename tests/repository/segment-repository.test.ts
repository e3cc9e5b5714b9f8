import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createRepositoryIn } from '../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../src/repository/open-repository.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { SegmentRepository } from '../../src/repository/segment-repository.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { PosixStore } from '../../src/store/posix-store.ts';
import type { Store } from '../../src/store/store.ts';
import { repositoryConformance } from './conformance.ts';
import type { RepositoryFactory } from './conformance.ts';
import { identity, testContext } from './fakes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-repository-'));
let count = 0;
after(() => rmSync(scratch, { recursive: true }));

const open = (store: Store) =>
  openRepositoryIn(testContext(), store, { exclusive: true, identity: identity() });

function factoryOver(modelRuns: number, createStore: () => Store): RepositoryFactory {
  return {
    modelRuns,
    async create() {
      const store = createStore();
      const repository = await createRepositoryIn(testContext(), store, { identity: identity() });
      // Segments of a few objects, five to a folder: everything that depends on their number happens often.
      const values = repository.config.ini.get('repository')!;
      values.set('max_segment_size', '1000').set('segments_per_dir', '5');
      await repository.saveKey('');
      await repository.close();
      return open(store);
    },
    async reopen(repository: Repository, options = {}) {
      const { store } = repository as SegmentRepository;
      await repository.close();
      if (options.rebuild === true) {
        for (const { name } of store.list('')) {
          if (/^(?:index|hints|integrity)\./.test(name)) store.removeFile(name);
        }
      }
      return open(store);
    },
  };
}

repositoryConformance(
  'SegmentRepository in memory',
  factoryOver(150, () => new MemoryStore()),
);
repositoryConformance(
  'SegmentRepository in a folder',
  factoryOver(10, () => new PosixStore(join(scratch, String(count++)))),
);
