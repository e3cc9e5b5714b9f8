/** Reports as tables in Markdown. */
import { MODEL_CORES, modelledSeconds, modelOf } from './model.ts';
import type { GrowthReport, GrowthSeries, ProgramRuns, Report, RowResult, RowsReport } from './results.ts';
import { median, ratioToBest, summarize } from './statistics.ts';

const SUBJECT = 'alcove';
const RIVALS = ['borg', 'restic'];
const MIB = 2 ** 20;

/** The table, and how it was made. */
export function reportText(report: Report): string {
  if (report.kind === 'growth') return `${growthTable(report)}\n\n${madeText(report)}\n${report.version}.`;
  const table = report.kind === 'model' ? modelTable(report) : rowsTable(report);
  return `${table}\n\n${runsText(report)}`;
}

/**
 * A line each: how long each program took (median; least to most of the runs), how many times as fast as the faster of
 * Borg and restic alcove is, processor seconds, peak memory, and the limit of the hardware.
 */
export function rowsTable(report: RowsReport): string {
  const names = report.programs.map(({ name }) => name);
  const subject = names.includes(SUBJECT);
  const head = [
    'row',
    ...names.map((name) => `${name}, s`),
    ...(subject ? ['ratio', 'target'] : []),
    'CPU, s',
    'peak, MiB',
    'limit, s',
  ];
  const rows = report.rows.map((row) => [
    row.title,
    ...names.map((name) => secondsCell(row, name)),
    ...(subject ? ratioCells(row) : []),
    names.map((name) => medianCell(row.programs[name]?.cpuSeconds, (seconds) => digits(seconds))).join(' / '),
    names
      .map((name) => medianCell(row.programs[name]?.peakBytes, (bytes) => String(Math.round(bytes / MIB))))
      .join(' / '),
    limitCell(row),
  ]);
  return markdown(head, rows);
}

/** When and on what. */
function madeText({ startedAt, machine, load }: Report): string {
  const { processor, cores, memoryBytes, system, kernel, node } = machine;
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`;
  return (
    `Made ${startedAt.slice(0, 10)} on ${processor}, ${cores} cores, ${memory}, ${system} ${kernel}, Node ${node}; ` +
    `load average ${load[0]} before and ${load[1]} after.`
  );
}

function runsText(report: RowsReport): string {
  const { scale, runs, caches } = report;
  const lines = [
    madeText(report),
    `Scale ${scale}; ${runs} counted runs of each after the warm-up, caches ${caches}.`,
    `${report.programs.map(({ version, threads }) => version + (threads === undefined ? '' : ` (${threads} threads)`)).join(', ')}.`,
    ...report.missing.map((text) => `Left out: ${text}.`),
  ];
  if (report.limits !== undefined) lines.push(limitsText(report.limits));
  return lines.join('\n');
}

function limitsText({ speeds, threads }: NonNullable<RowsReport['limits']>): string {
  const inBytes = ['read', 'cut', 'hash', 'compress', 'seal', 'write', 'open', 'decompress'] as const;
  const megabytes = inBytes.map((step) => `${step} ${Math.round(speeds[step] / 1e6)}`);
  return `Limit: speeds of the steps alone, ${threads} threads together, in MB/s: ${megabytes.join(', ')}.`;
}

function secondsCell(row: RowResult, name: string): string {
  if (row.failed?.includes(name)) return 'failed';
  const runs: ProgramRuns | undefined = row.programs[name];
  if (runs === undefined) return '–';
  const { median, least, most } = summarize(runs.seconds);
  return `${digits(median)} (${digits(least)}–${digits(most)})`;
}

function ratioCells(row: RowResult): [string, string] {
  const runs = row.programs[SUBJECT];
  const target = row.target === undefined ? '' : `${row.target}`;
  if (runs === undefined) return ['', target];
  const others = RIVALS.flatMap((name) => row.programs[name] ?? []).map(({ seconds }) => median(seconds));
  const ratio = ratioToBest(median(runs.seconds), others);
  if (ratio === undefined) return ['', target];
  const missed = row.target !== undefined && ratio < row.target;
  return [ratio.toFixed(2), missed ? `${target}, missed` : target];
}

function medianCell(values: readonly number[] | undefined, text: (value: number) => string): string {
  return values === undefined ? '–' : text(median(values));
}

function limitCell({ limitSeconds, programs }: RowResult): string {
  if (limitSeconds === undefined) return '';
  const runs = programs[SUBJECT];
  const times = runs === undefined ? '' : ` (×${(median(runs.seconds) / limitSeconds).toFixed(1)})`;
  return `${digits(limitSeconds)}${times}`;
}

/**
 * A line each: how long alcove took, the processor time of its main thread and of the others, what that gives for other
 * numbers of cores, and the number from which on more don't help.
 */
export function modelTable(report: RowsReport): string {
  const head = [
    'row',
    `measured with ${report.machine.cores} cores, s`,
    'main thread, CPU s',
    'others, CPU s',
    ...MODEL_CORES.map((cores) => (cores === 1 ? '1 core, s' : `${cores} cores, s`)),
    'cores of use',
  ];
  return markdown(
    head,
    report.rows.flatMap(({ title, programs }) => {
      const runs = programs[SUBJECT];
      const model = runs && modelOf(runs);
      if (model === undefined) return [];
      return [
        [
          title,
          digits(median(runs!.seconds)),
          digits(model.mainSeconds),
          digits(model.otherThreadsSeconds),
          ...MODEL_CORES.map((cores) => digits(modelledSeconds(model, cores))),
          model.enoughCores.toFixed(1),
        ],
      ];
    }),
  );
}

/** A line for each size of each series: time and memory, and what they are for one more. */
export function growthTable(report: GrowthReport): string {
  const head = ['what', 'size', 's', 'each', 'peak, MiB', 'bytes each'];
  return markdown(head, report.series.flatMap(seriesRows));
}

function seriesRows({ title, unit, points }: GrowthSeries): string[][] {
  const base = points[0];
  return points.map((point, number) => {
    const { size, seconds, peakBytes, indexBytes } = point;
    const more = size - base!.size;
    const grown = number === 0 ? '' : Math.round((peakBytes - base!.peakBytes) / more);
    const bytes = unit === 'byte' ? '' : indexBytes === undefined ? grown : (indexBytes / size).toFixed(1);
    return [
      title,
      unit === 'byte' ? `${(size / 2 ** 30).toFixed(2)} GiB` : `${size.toLocaleString('en-US')} ${unit}s`,
      digits(seconds),
      unit === 'byte'
        ? `${Math.round(size / 1e6 / seconds)} MB/s`
        : `${((seconds / size) * 1e6).toFixed(2)} µs`,
      String(Math.round(peakBytes / MIB)),
      String(bytes),
    ];
  });
}

/** Three digits that count. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, ...[title, ...rows.map((cells) => cells[column]!)].map(({ length }) => length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const ruler = widths.map((width) => '-'.repeat(width));
  return [head, ruler, ...rows].map(line).join('\n');
}
