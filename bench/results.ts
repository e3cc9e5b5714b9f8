/**
 * What a run of the benchmark leaves: a JSON file below bench/results/, from which tables are made. Readers may rely on
 * its fields for as long as `schema` is the same.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Limits } from './limits.ts';
import type { Machine } from './machine.ts';

export const SCHEMA = 1;

export interface RowResult {
  readonly name: string;
  readonly title: string;
  /** How many times as fast as the faster of Borg and restic it is meant to be. */
  readonly target?: number;
  readonly limitSeconds?: number;
  /** By the program's name; those that have no such step are missing. */
  readonly programs: Readonly<Record<string, ProgramRuns>>;
  /** Programs that ended with an error. */
  readonly failed?: readonly string[];
}

/** One value for each counted run, in the order of the runs. */
export interface ProgramRuns {
  readonly seconds: readonly number[];
  readonly cpuSeconds: readonly number[];
  /** Of `cpuSeconds`, those of other threads than the main one; missing in older files. */
  readonly otherThreadsSeconds?: readonly number[];
  readonly peakBytes: readonly number[];
}

export interface RowsReport {
  readonly schema: typeof SCHEMA;
  /** `model`: measured to say what it would be with more cores; see model.ts. */
  readonly kind: 'rows' | 'model';
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** 1: the sizes that the rows' titles name. */
  readonly scale: number;
  readonly runs: number;
  readonly caches: 'warm' | 'dropped';
  /** Load average over one minute, before the first run and after the last. */
  readonly load: readonly [number, number];
  readonly machine: Machine;
  readonly programs: readonly {
    readonly name: string;
    readonly version: string;
    readonly threads?: number;
  }[];
  readonly missing: readonly string[];
  readonly limits?: Limits;
  readonly rows: readonly RowResult[];
}

export interface GrowthPoint {
  /** Chunks, files or bytes. */
  readonly size: number;
  readonly seconds: number;
  readonly peakBytes: number;
  /** Of the index alone. */
  readonly indexBytes?: number;
}

export interface GrowthSeries {
  readonly title: string;
  readonly unit: 'chunk' | 'file' | 'byte';
  readonly points: readonly GrowthPoint[];
}

export interface GrowthReport {
  readonly schema: typeof SCHEMA;
  readonly kind: 'growth';
  readonly startedAt: string;
  readonly load: readonly [number, number];
  readonly machine: Machine;
  readonly version: string;
  readonly series: readonly GrowthSeries[];
}

export type Report = RowsReport | GrowthReport;

export function writeReport(path: string, report: Report): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(report, rounded, 1)}\n`);
}

/** Throws where the file is of another schema. */
export function readReport(path: string): Report {
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  const { schema }: { schema: number } = report;
  if (schema !== SCHEMA) throw new Error(`${path}: schema ${schema}, not ${SCHEMA}`);
  return report;
}

/** Microseconds are enough, and make the files easier to read. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1e6) / 1e6 : value;
}
