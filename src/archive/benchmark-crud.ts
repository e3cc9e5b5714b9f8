/**
 * How fast archives are created, read, updated and deleted: of files that are made for it, in a repository that exists.
 *
 * Source: Borg 1.4.5, archiver.py, do_benchmark_crud.
 */
import { makeSampleFiles, type SampleFiles } from '../platform/sample-files.ts';
import { monotonicMs } from '../platform/clock.ts';
import { fromUtf8 } from '../util/bytes.ts';
import { Archive } from './archive.ts';
import { createDefaults } from './create/create-defaults.ts';
import { createArchive } from './create/create.ts';
import { deleteArchives } from './delete.ts';
import { extractArchive } from './extract/extract.ts';
import type { Operation } from './manifest.ts';
import { PatternMatcher } from './patterns/pattern-matcher.ts';
import type { Session } from './session.ts';

export interface CrudTest extends SampleFiles {
  readonly name: string;
}

/** Seconds. */
export interface CrudTimes {
  readonly create: number;
  readonly read: number;
  readonly update: number;
  readonly delete: number;
}

export interface CrudOptions {
  /** Opens the repository anew, as each command does; without compression. */
  readonly open: (needs: { operations: readonly Operation[]; exclusive: boolean }) => Promise<Session>;
  /** Where the files go, in a folder that must not exist. */
  readonly path: string;
  /** The command line, for the archives' metadata. */
  readonly cmdline: readonly string[];
}

/** About 1 GB of zeros, and as much of noise, in large, middling and small files. */
export const CRUD_TESTS: readonly CrudTest[] = [
  { name: 'Z-BIG', count: 10, sizeBytes: 100_000_000, random: false },
  { name: 'R-BIG', count: 10, sizeBytes: 100_000_000, random: true },
  { name: 'Z-MEDIUM', count: 1000, sizeBytes: 1_000_000, random: false },
  { name: 'R-MEDIUM', count: 1000, sizeBytes: 1_000_000, random: true },
  { name: 'Z-SMALL', count: 10_000, sizeBytes: 10_000, random: false },
  { name: 'R-SMALL', count: 10_000, sizeBytes: 10_000, random: true },
];

/** To see that it works. */
export const CRUD_TRIAL: readonly CrudTest[] = [
  { name: 'Z-TEST', count: 1, sizeBytes: 1, random: false },
  { name: 'R-TEST', count: 1, sizeBytes: 1, random: true },
];

const ARCHIVE = 'borg-benchmark-crud';

/** Runs one test; what it made in the folder is removed in any case. */
export async function benchmarkCrud(options: CrudOptions, test: CrudTest): Promise<CrudTimes> {
  using files = makeSampleFiles(options.path, test);
  const run = new CrudRun(options, files.path);
  // Without the files cache, so that all is read and cut.
  const create = await run.create(`${ARCHIVE}1`, 'd');
  // Fills the files cache.
  await run.create(`${ARCHIVE}2`, 'cis');
  await run.delete(`${ARCHIVE}2`);
  const update = await run.create(`${ARCHIVE}3`, 'cis');
  await run.delete(`${ARCHIVE}3`);
  const read = await run.read(`${ARCHIVE}1`);
  const deletion = await run.delete(`${ARCHIVE}1`);
  return { create, read, update, delete: deletion };
}

class CrudRun {
  readonly #options: CrudOptions;
  readonly #path: string;

  constructor(options: CrudOptions, path: string) {
    this.#options = options;
    this.#path = path;
  }

  create(name: string, filesCacheMode: 'cis' | 'd'): Promise<number> {
    return this.#measure('write', async (session) => {
      await createArchive(session, {
        ...createDefaults(),
        name,
        cmdline: this.#options.cmdline,
        source: { kind: 'paths', paths: [fromUtf8(this.#path)] },
        filesCacheMode,
      });
    });
  }

  read(name: string): Promise<number> {
    return this.#measure('read', async (session) => {
      const archive = await Archive.open(session, name);
      await extractArchive(session.ctx, archive, {
        matcher: new PatternMatcher(),
        dryRun: true,
        sparse: false,
        numericIds: false,
        noFlags: false,
        noAcls: false,
        noXattrs: false,
      });
    });
  }

  delete(name: string): Promise<number> {
    return this.#measure('delete', async (session) => {
      await deleteArchives(session, [name]);
    });
  }

  /** From opening the repository to closing it, in seconds. */
  async #measure(operation: Operation, work: (session: Session) => Promise<void>): Promise<number> {
    const startMs = monotonicMs();
    {
      await using session = await this.#options.open({
        operations: [operation],
        exclusive: operation !== 'read',
      });
      await work(session);
    }
    return (monotonicMs() - startMs) / 1000;
  }
}
