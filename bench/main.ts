// Measures alcove beside Borg and restic: `npm run bench`, which builds first what is out of date; `--help` tells the rest.
// docs/PERFORMANCE.md says what comes out of it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { corpusDiskBytes } from './corpora/corpus.ts';
import { measureGrowth, SUBJECTS } from './growth.ts';
import { latencyTable } from './latency.ts';
import { measureLimits } from './limits.ts';
import { freeBytes, loadAverage, machineFacts } from './machine.ts';
import { measureRows } from './measure-rows.ts';
import { MODEL_ROWS } from './model.ts';
import { type BenchOptions, parseBenchOptions, USAGE } from './options.ts';
import { findPrograms, type Found } from './programs/find.ts';
import { readReport, type Report, type RowResult, SCHEMA, writeReport } from './results.ts';
import { type Row, ROWS } from './rows.ts';
import { reportText } from './table.ts';

const tell = (text: string) => console.error(text);
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => interrupted.abort(new Error(`ended by ${name}`)));

try {
  await main(parseBenchOptions(process.argv.slice(2)));
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}

async function main(options: BenchOptions): Promise<void> {
  if (options.help) return console.log(USAGE);
  if (options.list) {
    for (const { name, title } of ROWS) console.log(name.padEnd(34), title);
    return;
  }
  mkdirSync(options.work, { recursive: true });
  switch (options.command) {
    case 'rows':
      return benchRows(options);
    case 'model':
      return benchRows({
        ...options,
        only: options.only.length > 0 ? options.only : MODEL_ROWS,
        programs: ['alcove'],
        builds: new Map(),
        limits: false,
      });
    case 'growth':
      return benchGrowth(options);
    case 'latency': {
      const { work, addedMs, fileCount: files } = options;
      const server = process.env['BENCH_SERVER'];
      const signal = interrupted.signal;
      return console.log(
        await latencyTable({ work, addedMs, files, signal, ...(server !== undefined && { server }) }),
      );
    }
    case 'table':
      return showTables(options.files.map(readReport), options.document);
    default:
      throw new Error(`no such command: ${options.command}; --help tells which there are`);
  }
}

async function benchRows(options: BenchOptions): Promise<void> {
  const rows = chosenRows(options.only);
  const found = programsToMeasure(options);
  if (found.programs.length === 0) throw new Error('there is no program to measure');
  needDisk(rows, found.programs.length, options);
  const startedAt = new Date().toISOString();
  const before = loadAverage();
  const { work, scale, runs, warmUps, cold } = options;
  const { signal } = interrupted;
  const limits = options.limits
    ? await measureLimits(work, availableParallelism(), Math.min(0.5, 10 * scale), signal)
    : undefined;
  const results: RowResult[] = [];
  const done = (result: RowResult) => results.push(result);
  // What was measured before an interrupt is kept too.
  const measuring = measureRows(rows, found.programs, limits, {
    work,
    scale,
    runs,
    warmUps,
    cold,
    signal,
    tell,
    done,
  });
  const failure = await measuring.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const report: Report = {
    schema: SCHEMA,
    kind: options.command === 'model' ? 'model' : 'rows',
    startedAt,
    scale,
    runs,
    caches: cold ? 'dropped' : 'warm',
    load: [before, loadAverage()],
    machine: machineFacts(),
    programs: found.programs.map(({ name, version, threads }) => ({
      name,
      version,
      ...(threads !== undefined && { threads }),
    })),
    missing: found.missing,
    ...(limits && { limits }),
    rows: results,
  };
  if (results.length > 0) {
    finish(report, options);
    console.log(reportText(report));
  }
  if (failure !== undefined) throw failure.error;
}

async function benchGrowth(options: BenchOptions): Promise<void> {
  const { programs } = programsToMeasure({ ...options, programs: ['alcove'] });
  const [program] = programs;
  if (program === undefined) throw new Error('there is no program to measure');
  const startedAt = new Date().toISOString();
  const before = loadAverage();
  const { work, scale } = options;
  const { signal } = interrupted;
  const subjects = SUBJECTS.filter((name) => options.only.length === 0 || options.only.includes(name));
  if (subjects.length === 0) throw new Error(`--only takes ${SUBJECTS.join(', ')} here`);
  const series = await measureGrowth(program, { subjects, work, scale, signal, tell });
  const report: Report = {
    schema: SCHEMA,
    kind: 'growth',
    startedAt,
    load: [before, loadAverage()],
    machine: machineFacts(),
    version: program.version,
    series,
  };
  finish(report, options);
  console.log(reportText(report));
}

function chosenRows(only: readonly string[]): Row[] {
  for (const name of only) {
    if (!ROWS.some((row) => row.name.startsWith(name)))
      throw new Error(`no such row: ${name}; --list tells which there are`);
  }
  // A full name means that row alone, also where another begins with it.
  return ROWS.filter(
    (row) =>
      only.length === 0 ||
      only.some((name) =>
        ROWS.some((other) => other.name === name) ? row.name === name : row.name.startsWith(name),
      ),
  );
}

function programsToMeasure({ programs, builds, threads }: BenchOptions): Found {
  const found = findPrograms({
    ...(programs && { only: [...programs, ...builds.keys()] }),
    builds,
    ...(threads !== undefined && { threads }),
  });
  for (const text of found.missing) tell(`left out: ${text}`);
  return found;
}

/** Each program's repository, and what is extracted, take about as much again as the corpora. */
function needDisk(rows: readonly Row[], programs: number, { scale, work }: BenchOptions): void {
  const names = new Set(rows.flatMap(({ corpora }) => corpora));
  const corpora = [...names].reduce((sum, name) => sum + corpusDiskBytes(name, scale), 0);
  const needed = corpora * (2 + programs);
  const free = freeBytes(work);
  tell(
    `${rows.length} rows at scale ${scale}: up to ${gigabytes(needed)} below ${work}, where ${gigabytes(free)} are free`,
  );
  if (free < needed) throw new Error('too little space: choose a smaller --scale, or another --work');
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function finish(report: Report, { output }: BenchOptions): void {
  const time = report.startedAt.replaceAll(/[-:]|\..*/g, '');
  const path = output ?? fileURLToPath(new URL(`results/${report.kind}-${time}.json`, import.meta.url));
  writeReport(path, report);
  tell(`written: ${path}`);
}

/** One table for each kind of report; those of several runs come one after the other. */
function showTables(reports: readonly Report[], document: boolean): void {
  const texts = new Map<Report['kind'], string>();
  for (const report of reports) {
    const before = texts.has(report.kind) ? `${texts.get(report.kind)}\n\n` : '';
    texts.set(report.kind, before + reportText(report));
  }
  for (const [kind, text] of texts) {
    if (document) documentTable(kind, text);
    else console.log(`${text}\n`);
  }
}

/** Between the markers of docs/PERFORMANCE.md for this kind of report. */
function documentTable(kind: Report['kind'], text: string): void {
  const path = join(fileURLToPath(new URL('../docs', import.meta.url)), 'PERFORMANCE.md');
  const old = readFileSync(path, 'utf8');
  const place = new RegExp(`(<!-- ${kind} -->\n)[^]*(<!-- /${kind} -->)`);
  if (!place.test(old)) throw new Error(`docs/PERFORMANCE.md has no place for ${kind}`);
  writeFileSync(
    path,
    old.replace(place, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`),
  );
}
