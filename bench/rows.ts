/** What is measured: a row is one step that all programs do, from a state, on a corpus. */
import { join } from 'node:path';
import { mkdirSync, rmSync } from 'node:fs';
import { type Corpus, type CorpusName, someSmallFile } from './corpora/corpus.ts';
import type { Amounts } from './limits.ts';
import type { Command } from './measured-run.ts';
import type { MountedWork } from './mounted-read.ts';
import type { Place, Program } from './programs/program.ts';
import { DAYS_KEPT, EMPTY, type StateName } from './states.ts';

export interface RowContext {
  readonly place: Place;
  /** An empty folder, to write into. */
  readonly target: string;
  readonly corpus: (name: CorpusName) => Corpus;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly state: StateName;
  /** Each run gets a copy of the state. */
  readonly changes: boolean;
  readonly corpora: readonly CorpusName[];
  /** How many times as fast as the faster of the others it is meant to be. */
  readonly target?: number;
  /** It means something only to programs that have Borg's options. */
  readonly borgOnly?: boolean;
  /** Undefined where the program has no such step. */
  command(program: Program, context: RowContext): Command | undefined;
  /** What has to be done at the least, where a limit can be told. */
  amounts?(corpus: (name: CorpusName) => Corpus): Amounts;
  /** After the state was copied, before the clock starts. */
  before?(program: Program, context: RowContext): void;
  /** Instead of a command's whole run: see mounted-read.ts. */
  readonly mounted?: MountedWork;
}

const ARCHIVE = 'new';

export const ROWS: readonly Row[] = [
  createRow('create-big', 'create, three big files', 'big', { target: 2 }),
  createRow('create-tree', 'create, tree, first time', 'tree', { target: 2 }),
  createRow('create-unchanged', 'create, tree, unchanged', 'tree', {
    state: 'full',
    target: 2.5,
    amounts: (corpus) => ({ walk: corpus('tree').entries }),
  }),
  createRow('create-renamed', 'create, the tree renamed', 'renamed', {
    state: 'full',
    corpora: ['tree', 'big', 'renamed'],
    amounts: (corpus) => ({ ...readAmounts(corpus('renamed')) }),
  }),
  createRow('create-small', 'create, files of 1 kB', 'small', {}),
  createRow('create-sparse', 'create, sparse file', 'sparse', {}),
  extractRow('extract-tree', 'extract, tree', 'tree', 1.8),
  extractRow('extract-big', 'extract, three big files', 'big', 1.8),
  {
    name: 'extract-one',
    title: 'extract, one of many small files',
    state: 'small',
    changes: false,
    corpora: ['small'],
    command: (program, { place, target, corpus }) =>
      program.extract(place, 'small', target, someSmallFile(corpus('small'))),
  },
  {
    ...readingRow('list-tree', 'list, tree', (program, place) => program.list(place, 'tree')),
    target: 3,
  },
  {
    ...readingRow('check', 'check', (program, place) => program.check(place)),
    target: 2,
    amounts: (corpus) => ({ read: stored(corpus), crc: stored(corpus) }),
  },
  {
    ...readingRow('check-data', 'check --verify-data (restic: --read-data)', (program, place) =>
      program.checkData(place),
    ),
    target: 1.2,
    amounts: (corpus) => ({
      read: stored(corpus),
      crc: stored(corpus),
      open: stored(corpus),
      decompress: corpus('tree').uniqueBytes + corpus('big').uniqueBytes,
      hash: corpus('tree').uniqueBytes + corpus('big').uniqueBytes,
    }),
  },
  {
    ...readingRow('delete', 'delete an archive (restic: forget)', (program, place) =>
      program.remove(place, 'tree'),
    ),
    changes: true,
    target: 1,
  },
  {
    name: 'compact',
    title: 'compact, half deleted (restic: prune)',
    state: 'half',
    changes: true,
    corpora: ['tree'],
    target: 1,
    command: (program, { place }) => program.compact(place),
  },
  {
    name: 'prune',
    title: 'prune, of 200 archives (restic: forget)',
    state: 'days',
    changes: true,
    corpora: ['day'],
    command: (program, { place }) => program.prune(place, DAYS_KEPT),
  },
  {
    ...readingRow('cache-rebuild', 'cache rebuilt from nothing', (program, place) => program.useCache(place)),
    changes: true,
    before(program, { place }) {
      for (const folder of program.cacheFolders(place)) rmSync(folder, { recursive: true });
    },
  },
  { ...mountRow('ready', 'tree'), name: 'mount-ready', title: 'mount, tree, until it is there' },
  { ...mountRow('walk', 'tree'), name: 'mount-walk', title: 'mount, tree, all entries looked at' },
  { ...mountRow('sequential'), name: 'mount-sequential', title: 'mount, big files read in order' },
  { ...mountRow('random'), name: 'mount-random', title: 'mount, big files read at random' },
  startRow('version', '--version', (program, place) => program.versionCommand(place)),
  startRow('serve', 'serve, without a client', (program, place) => program.serve(place)),
  ...['none', 'authenticated', 'authenticated-blake2', 'repokey', 'repokey-blake2', 'keyfile'].map((mode) =>
    createRow(`encryption-${mode}`, `create, big files, encryption ${mode}`, 'big', {
      state: `empty:${mode}`,
      borgOnly: true,
      amounts: (corpus) => encryptionAmounts(corpus('big'), mode),
    }),
  ),
  ...['none', 'lz4', 'zstd', 'zstd,10', 'zlib', 'lzma,0', 'auto,zstd'].map((compression) =>
    createRow(`compression-${compression}`, `create, big files, compression ${compression}`, 'big', {
      compression,
      amounts: () => ({}),
    }),
  ),
];

interface CreateRow extends Partial<Pick<Row, 'state' | 'target' | 'borgOnly' | 'amounts' | 'corpora'>> {
  readonly compression?: string;
}

function createRow(name: string, title: string, corpus: CorpusName, options: CreateRow): Row {
  const { state = EMPTY, compression, ...rest } = options;
  return {
    name,
    title,
    state,
    changes: true,
    corpora: state === 'full' ? ['tree', 'big'] : [corpus],
    amounts: (corpora) => createAmounts(corpora(corpus)),
    ...rest,
    command: (program, context) =>
      program.create(context.place, ARCHIVE, context.corpus(corpus).path, {
        ...(compression !== undefined && { compression }),
      }),
  };
}

function extractRow(name: string, title: string, archive: 'tree' | 'big', target: number): Row {
  return {
    ...readingRow(name, title, (program, place, into) => program.extract(place, archive, into)),
    target,
    amounts(corpora) {
      const { uniqueBytes, sizeBytes, entries } = corpora(archive);
      return {
        read: { unpacked: uniqueBytes },
        open: { unpacked: uniqueBytes },
        decompress: uniqueBytes,
        hash: uniqueBytes,
        write: sizeBytes,
        make: entries,
      };
    },
  };
}

/** A row about the repository with the tree and the big files, which stays as it is. */
function readingRow(
  name: string,
  title: string,
  command: (program: Program, place: Place, target: string) => Command | undefined,
): Row {
  return {
    name,
    title,
    state: 'full',
    changes: false,
    corpora: ['tree', 'big'],
    command: (program, { place, target }) => command(program, place, target),
  };
}

function mountRow(mounted: MountedWork, archive: 'tree' | 'big' = 'big'): Omit<Row, 'name' | 'title'> {
  return {
    state: 'full',
    changes: false,
    corpora: ['tree', 'big'],
    mounted,
    command(program, { place, target }) {
      mkdirSync(join(target, 'mounted'), { recursive: true });
      return program.mount(place, archive, join(target, 'mounted'));
    },
  };
}

function startRow(
  name: string,
  title: string,
  command: (program: Program, place: Place) => Command | undefined,
): Row {
  return {
    name,
    title,
    state: EMPTY,
    changes: false,
    corpora: [],
    command: (program, { place }) => command(program, place),
    amounts: () => ({ start: 1 }),
  };
}

function readAmounts({ entries, files, sizeBytes }: Corpus): Amounts {
  return { walk: entries, openFile: files, read: sizeBytes, cut: sizeBytes, hash: sizeBytes };
}

function createAmounts(corpus: Corpus): Amounts {
  const { uniqueBytes } = corpus;
  return {
    ...readAmounts(corpus),
    compress: uniqueBytes,
    seal: { unpacked: uniqueBytes },
    write: { unpacked: uniqueBytes },
  };
}

function encryptionAmounts(corpus: Corpus, mode: string): Amounts {
  const { hash: hashed = 0, seal = 0, ...others } = createAmounts(corpus);
  const blake = mode.endsWith('blake2');
  const encrypted = mode.startsWith('repokey') || mode.startsWith('keyfile');
  return {
    ...others,
    ...(blake ? { hashBlake2: hashed } : { hash: hashed }),
    ...(encrypted && (blake ? { sealBlake2: seal } : { seal })),
  };
}

/** What both archives take in the repository. */
function stored(corpus: (name: CorpusName) => Corpus): { unpacked: number } {
  return { unpacked: corpus('tree').uniqueBytes + corpus('big').uniqueBytes };
}
