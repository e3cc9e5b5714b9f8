/** The command line of the benchmark. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run bench -- [rows] [options]       rows of the table (default)
       npm run bench -- model [options]        what more cores would bring
       npm run bench -- growth [options]       time and memory as sizes grow
       npm run bench -- latency [options]      a server that is far away
       npm run bench -- table FILE ...         tables from files in bench/results

  --only ROWS        rows by name or by the beginning of it, with commas between;
                     growth: index, archives, files
  --list             names and titles of the rows, and nothing else
  --scale N          sizes, as a share of those in the titles (default: 1)
  --runs N           counted runs of each program in each row (default: 5)
  --warm-ups N       runs before them (default: 1)
  --cold             drop the system's caches before each run; for root
  --threads N        what to tell alcove (default: nothing)
  --programs NAMES   columns, with commas between (default: alcove,borg,restic)
  --build NAME=PATH  one more column: another build's bin/alcove.js
  --no-limits        don't measure what the hardware allows
  --work DIR         where corpora are kept, and all else is made
                     (default: alcove-bench in the system's folder for such)
  --output FILE      the JSON; default: a new file in bench/results
  --document         table: put the tables into docs/PERFORMANCE.md
  --added-ms N       latency: added round trip time (default: 50)
  --files N          latency: how many files (default: 10000)

ALCOVE_REFERENCE_BORG is the command of a Borg 1.4, ALCOVE_RESTIC that of restic.
`;

export interface BenchOptions {
  readonly command: string;
  readonly files: readonly string[];
  readonly only: readonly string[];
  readonly list: boolean;
  readonly help: boolean;
  readonly scale: number;
  readonly runs: number;
  readonly warmUps: number;
  readonly cold: boolean;
  readonly threads: number | undefined;
  readonly programs: readonly string[] | undefined;
  readonly builds: ReadonlyMap<string, string>;
  readonly limits: boolean;
  readonly work: string;
  readonly output: string | undefined;
  readonly document: boolean;
  readonly addedMs: number;
  readonly fileCount: number;
}

/** Throws a TypeError or RangeError, with a text for people, on what it doesn't know. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      scale: { type: 'string', default: '1' },
      runs: { type: 'string', default: '5' },
      'warm-ups': { type: 'string', default: '1' },
      cold: { type: 'boolean', default: false },
      threads: { type: 'string' },
      programs: { type: 'string' },
      build: { type: 'string', multiple: true, default: [] },
      limits: { type: 'boolean', default: true },
      work: { type: 'string', default: join(tmpdir(), 'alcove-bench') },
      output: { type: 'string' },
      document: { type: 'boolean', default: false },
      'added-ms': { type: 'string', default: '50' },
      files: { type: 'string', default: '10000' },
    },
  });
  const [command = 'rows', ...files] = positionals;
  return {
    command,
    files,
    only: listOf(values.only) ?? [],
    list: values.list,
    help: values.help,
    scale: numberOf('--scale', values.scale, Number.MIN_VALUE),
    runs: wholeNumberOf('--runs', values.runs, 1),
    warmUps: wholeNumberOf('--warm-ups', values['warm-ups'], 0),
    cold: values.cold,
    threads: values.threads === undefined ? undefined : wholeNumberOf('--threads', values.threads, 1),
    programs: listOf(values.programs),
    builds: new Map(values.build.map(buildOf)),
    limits: values.limits,
    work: values.work,
    output: values.output,
    document: values.document,
    addedMs: numberOf('--added-ms', values['added-ms'], 0),
    fileCount: wholeNumberOf('--files', values.files, 1),
  };
}

function listOf(text: string | undefined): string[] | undefined {
  return text?.split(',').filter((name) => name !== '');
}

function buildOf(text: string): [string, string] {
  const [name, path] = text.split('=');
  if (!name || !path) throw new RangeError(`--build ${text}: expected NAME=PATH`);
  return [name, path];
}

function numberOf(option: string, text: string, least: number): number {
  const value = Number(text);
  if (text === '' || !(value >= least)) throw new RangeError(`${option} ${text}: not a number it can take`);
  return value;
}

function wholeNumberOf(option: string, text: string, least: number): number {
  const value = numberOf(option, text, least);
  if (!Number.isInteger(value)) throw new RangeError(`${option} ${text}: not a whole number`);
  return value;
}
