/**
 * How time and memory grow: an index of up to 10,000,000 chunks, archives of up to 1,000,000 files, files of up to 4 GiB.
 * Each size is measured once, and the smallest first.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFilled } from './corpora/corpus.ts';
import { type Command, type Measurement, runMeasured } from './measured-run.ts';
import type { IndexReport } from './growth-index.ts';
import { type Place, type Program } from './programs/program.ts';
import type { GrowthPoint, GrowthSeries } from './results.ts';
import { placeAt } from './states.ts';
import { syntheticTar } from './synthetic-tar.ts';

/** What grows. */
export const SUBJECTS = ['index', 'archives', 'files'] as const;
export type Subject = (typeof SUBJECTS)[number];

export interface GrowthOptions {
  readonly subjects: readonly Subject[];
  readonly work: string;
  readonly scale: number;
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}

const CHUNKS = [100_000, 1_000_000, 10_000_000];
const FILES = [10_000, 100_000, 1_000_000];
const GIB = 2 ** 30;
const SIZES = [GIB / 4, GIB, 4 * GIB];

export async function measureGrowth(program: Program, options: GrowthOptions): Promise<GrowthSeries[]> {
  mkdirSync(options.work, { recursive: true });
  const folder = mkdtempSync(join(options.work, 'growth-'));
  try {
    const measure: Readonly<Record<Subject, () => GrowthSeries[] | Promise<GrowthSeries[]>>> = {
      index: () => indexSeries(options),
      archives: () => archiveSeries(program, folder, options),
      files: () => fileSeries(program, folder, options),
    };
    const series: GrowthSeries[] = [];
    for (const subject of options.subjects) series.push(...(await measure[subject]()));
    return series;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Series that get a point for each size. */
class Series {
  readonly #unit: GrowthSeries['unit'];
  readonly #points = new Map<string, GrowthPoint[]>();

  constructor(unit: GrowthSeries['unit']) {
    this.#unit = unit;
  }

  add(title: string, point: GrowthPoint): void {
    const points = this.#points.get(title) ?? [];
    this.#points.set(title, points);
    points.push(point);
  }

  list(): GrowthSeries[] {
    return [...this.#points].map(([title, points]) => ({ title, unit: this.#unit, points }));
  }
}

const INDEXES = [
  { title: "a repository's index", valueWords: 2, known: '' },
  { title: "a repository's index, read from its file", valueWords: 2, known: 'known' },
  { title: 'a cache of chunks', valueWords: 3, known: '' },
];

function indexSeries({ scale, signal, tell }: GrowthOptions): GrowthSeries[] {
  const series = new Series('chunk');
  const script = fileURLToPath(new URL('growth-index.ts', import.meta.url));
  for (const { title, valueWords, known } of INDEXES) {
    for (const size of scaled(CHUNKS, scale)) {
      signal.throwIfAborted();
      tell(`${title}: ${size} chunks`);
      const args = [script, String(size), String(valueWords), known];
      const { stdout } = spawnSync(process.execPath, args, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const { fillSeconds, findSeconds, indexBytes, peakBytes } = JSON.parse(stdout) as IndexReport;
      series.add(`${title}: filling it`, { size, seconds: fillSeconds, peakBytes, indexBytes });
      series.add(`${title}: finding all`, { size, seconds: findSeconds, peakBytes, indexBytes });
    }
  }
  return series.list();
}

async function archiveSeries(
  program: Program,
  folder: string,
  { scale, signal, tell }: GrowthOptions,
): Promise<GrowthSeries[]> {
  const series = new Series('file');
  for (const size of scaled(FILES, scale)) {
    const place = makePlace(join(folder, `files-${size}`));
    const options = { signal, errorFile: join(folder, 'errors') };
    const measure = async (title: string, command: Command, input?: InputWriter) => {
      tell(`${title}: ${size} files`);
      const measured = await runMeasured(command, { ...options, ...(input && { input }) });
      series.add(title, pointOf(size, measured));
    };
    await runMeasured(program.init(place, 'repokey'), options);
    const importing = importTar(program.init(place, 'repokey'), place);
    await measure('import-tar', importing, async (write) => {
      for (const piece of syntheticTar(size)) await write(piece);
    });
    await measure('list', program.list(place, 'all'));
    await measure('check', program.check(place));
    for (const cache of program.cacheFolders(place)) rmSync(cache, { recursive: true, force: true });
    const useCache = program.useCache(place);
    if (useCache !== undefined) await measure('cache rebuilt', useCache);
    await measure('delete', program.remove(place, 'all'));
    rmSync(join(folder, `files-${size}`), { recursive: true });
  }
  return series.list();
}

type InputWriter = (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>;

/** `import-tar` from the standard input, with the program and the environment of another command. */
function importTar({ argv, cwd, env }: Command, { repository }: Place): Command {
  const program = argv.slice(0, argv.indexOf('init'));
  return { argv: [...program, 'import-tar', `${repository}::all`, '-'], cwd, env };
}

async function fileSeries(
  program: Program,
  folder: string,
  { scale, signal, tell }: GrowthOptions,
): Promise<GrowthSeries[]> {
  const series = new Series('byte');
  const options = { signal, errorFile: join(folder, 'errors') };
  for (const size of scaled(SIZES, scale)) {
    const place = makePlace(join(folder, 'one'));
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    tell(`a file of ${size} bytes`);
    writeFilled(join(tree, 'file'), 'noise', size, 31);
    await runMeasured(program.init(place, 'repokey'), options);
    const create = program.create(place, 'all', tree);
    if (create !== undefined)
      series.add('create, one file', pointOf(size, await runMeasured(create, options)));
    rmSync(join(tree, 'file'));
    series.add(
      'extract, one file',
      pointOf(size, await runMeasured(program.extract(place, 'all', tree), options)),
    );
    rmSync(tree, { recursive: true });
    rmSync(join(folder, 'one'), { recursive: true });
  }
  return series.list();
}

function makePlace(folder: string): Place {
  const place = placeAt(folder);
  mkdirSync(place.home, { recursive: true });
  return place;
}

function pointOf(size: number, { seconds, peakBytes }: Measurement): GrowthPoint {
  return { size, seconds, peakBytes };
}

function scaled(sizes: readonly number[], scale: number): number[] {
  return sizes.map((size) => Math.max(10, Math.round(size * scale)));
}
