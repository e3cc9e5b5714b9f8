/**
 * Measures rows: in each round every program once, the order rotated; the first round warms up and is not counted. The
 * programs alternate, so that whatever else the machine does hits all of them.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Corpus, type CorpusName, openCorpus } from './corpora/corpus.ts';
import { type Limits, limitSeconds } from './limits.ts';
import { dropCaches, settle } from './machine.ts';
import { CommandFailed, type Measurement, runMeasured } from './measured-run.ts';
import { runMounted } from './mounted-read.ts';
import type { Place, Program } from './programs/program.ts';
import type { ProgramRuns, RowResult } from './results.ts';
import type { Row } from './rows.ts';
import { rotated } from './statistics.ts';
import { copyPlace, placeAt, States } from './states.ts';

export interface RowsOptions {
  /** Corpora are kept here; all else that is made below it is removed at the end. */
  readonly work: string;
  readonly scale: number;
  /** Counted runs. */
  readonly runs: number;
  /** Rounds before them. */
  readonly warmUps: number;
  readonly cold: boolean;
  readonly signal: AbortSignal;
  /** Told what happens, a line each. */
  readonly tell: (text: string) => void;
  /** Told of each row when it is done. */
  readonly done: (result: RowResult) => void;
}

/** Below it, little is written. */
const LEAST_SETTLED_SCALE = 0.01;

const MEASURED = ['seconds', 'cpuSeconds', 'otherThreadsSeconds', 'peakBytes'] as const;
type Measured = (typeof MEASURED)[number];

function noRuns(): Record<Measured, number[]> {
  return { seconds: [], cpuSeconds: [], otherThreadsSeconds: [], peakBytes: [] };
}

export async function measureRows(
  rows: readonly Row[],
  programs: readonly Program[],
  limits: Limits | undefined,
  options: RowsOptions,
): Promise<void> {
  const measuring = new Measuring(options);
  try {
    for (const row of rows) options.done(await measuring.row(row, programs, limits));
  } finally {
    measuring.clean();
  }
}

class Measuring {
  readonly #options: RowsOptions;
  readonly #corpora = new Map<CorpusName, Corpus>();
  readonly #states: States;
  readonly #runFolder: string;
  readonly #stateFolder: string;

  constructor(options: RowsOptions) {
    this.#options = options;
    this.#runFolder = join(options.work, 'run');
    this.#stateFolder = join(options.work, 'states');
    this.clean();
    mkdirSync(this.#runFolder, { recursive: true });
    const context = { scale: options.scale, corpus: (name: CorpusName) => this.#corpus(name) };
    this.#states = new States(this.#stateFolder, context, (command) => this.#run(command));
  }

  clean(): void {
    rmSync(this.#runFolder, { recursive: true, force: true });
    rmSync(this.#stateFolder, { recursive: true, force: true });
  }

  async row(row: Row, programs: readonly Program[], limits: Limits | undefined): Promise<RowResult> {
    const { tell, runs, warmUps } = this.#options;
    for (const name of row.corpora) this.#corpus(name);
    const results = new Map<string, Record<Measured, number[]>>();
    const failed: string[] = [];
    let taking = programs.filter((program) => !row.borgOnly || program.speaksBorg);
    for (let round = 0; round < warmUps + runs; round++) {
      for (const program of rotated(taking, round)) {
        const measured = await this.#once(row, program).catch((error: unknown) => {
          if (!(error instanceof CommandFailed)) throw error;
          tell(`${row.name}: ${program.name} failed: ${error.message}`);
          failed.push(program.name);
        });
        if (measured === undefined) {
          taking = taking.filter((other) => other !== program);
          results.delete(program.name);
          continue;
        }
        tell(
          `${row.name}: ${program.name} ${measured.seconds.toFixed(2)} s${round < warmUps ? ', warm-up' : ''}`,
        );
        if (round < warmUps) continue;
        const runsOf = results.get(program.name) ?? noRuns();
        results.set(program.name, runsOf);
        for (const key of MEASURED) runsOf[key].push(measured[key]);
      }
    }
    const amounts = row.amounts?.((name) => this.#corpus(name));
    const limit = limits && amounts && limitSeconds(amounts, limits);
    return {
      name: row.name,
      title: row.title,
      ...(row.target !== undefined && { target: row.target }),
      ...(limit !== undefined && { limitSeconds: limit }),
      programs: Object.fromEntries<ProgramRuns>(results),
      ...(failed.length > 0 && { failed }),
    };
  }

  /** Undefined where the program has no such step. */
  async #once(row: Row, program: Program): Promise<Measurement | undefined> {
    const target = join(this.#runFolder, 'target');
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target);
    const state = await this.#states.open(program, row.state);
    const place = row.changes ? this.#copy(state) : state;
    const context = { place, target, corpus: (name: CorpusName) => this.#corpus(name) };
    const command = row.command(program, context);
    if (command === undefined) return undefined;
    row.before?.(program, context);
    if (this.#options.scale >= LEAST_SETTLED_SCALE) settle(this.#options.work);
    if (this.#options.cold) dropCaches();
    const options = { signal: this.#options.signal, errorFile: join(this.#runFolder, 'errors') };
    if (row.mounted !== undefined) return runMounted(command, join(target, 'mounted'), row.mounted, options);
    return runMeasured(command, options);
  }

  #copy(state: Place): Place {
    const place = placeAt(join(this.#runFolder, 'place'));
    copyPlace(state, place);
    return place;
  }

  #corpus(name: CorpusName): Corpus {
    let corpus = this.#corpora.get(name);
    if (corpus !== undefined) return corpus;
    this.#options.signal.throwIfAborted();
    const { work, scale, tell } = this.#options;
    tell(`corpus: ${name}`);
    corpus = openCorpus(join(work, 'corpora'), name, scale);
    this.#corpora.set(name, corpus);
    return corpus;
  }

  #run(command: Parameters<typeof runMeasured>[0]): Promise<Measurement> {
    const { signal } = this.#options;
    return runMeasured(command, { signal, errorFile: join(this.#runFolder, 'errors') });
  }
}
