/**
 * Repositories that rows begin with, with the home that belongs to them. Each program makes its own, once in a run of
 * the benchmark; a row that changes one gets a copy for each of its runs.
 */
import { cpSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Corpus, type CorpusName, treeShape } from './corpora/corpus.ts';
import { topFolders } from './corpora/tree.ts';
import type { Command } from './measured-run.ts';
import type { Place, Program } from './programs/program.ts';

/** `empty:MODE` is a new repository with that encryption. */
export type StateName = `empty:${string}` | 'full' | 'small' | 'parts' | 'half' | 'days';

export const EMPTY = 'empty:repokey';

export interface StateContext {
  readonly scale: number;
  readonly corpus: (name: CorpusName) => Corpus;
}

interface Recipe {
  /** What it is a copy of. */
  readonly from: StateName;
  readonly commands: (program: Program, place: Place, context: StateContext) => (Command | undefined)[];
}

/** Archives of the state `days`. */
export function dayCount(scale: number): number {
  return Math.max(4, Math.round(200 * scale));
}

export const DAYS_KEPT = 10;

const PARTS = 16;

const RECIPES: Readonly<Record<Exclude<StateName, `empty:${string}`>, Recipe>> = {
  full: {
    from: EMPTY,
    commands: (program, place, { corpus }) => [
      program.create(place, 'tree', corpus('tree').path),
      program.create(place, 'big', corpus('big').path),
    ],
  },
  small: {
    from: EMPTY,
    commands: (program, place, { corpus }) => [program.create(place, 'small', corpus('small').path)],
  },
  parts: {
    from: EMPTY,
    commands: (program, place, { corpus, scale }) =>
      topFolders(treeShape(scale)).map((path, number) =>
        program.create(place, `part-${number}`, corpus('tree').path, { path }),
      ),
  },
  half: {
    from: 'parts',
    commands: (program, place) =>
      Array.from({ length: PARTS / 2 }, (_, number) => program.remove(place, `part-${2 * number}`)),
  },
  days: {
    from: EMPTY,
    commands: (program, place, { corpus, scale }) =>
      Array.from({ length: dayCount(scale) }, (_, day) =>
        program.create(place, `day-${day}`, corpus('day').path, { day }),
      ),
  },
};

export class States {
  readonly #folder: string;
  readonly #context: StateContext;
  readonly #run: (command: Command) => Promise<unknown>;
  readonly #made = new Set<string>();

  /** `run` runs commands that nobody measures. */
  constructor(folder: string, context: StateContext, run: (command: Command) => Promise<unknown>) {
    this.#folder = folder;
    this.#context = context;
    this.#run = run;
  }

  /** The state itself: nobody may change it. */
  async open(program: Program, name: StateName): Promise<Place> {
    const folder = join(this.#folder, program.name, name.replace(':', '-'));
    const place = placeAt(folder);
    if (this.#made.has(folder)) return place;
    const commands = await this.#start(program, name, place);
    for (const command of commands) if (command !== undefined) await this.#run(command);
    this.#made.add(folder);
    return place;
  }

  async #start(program: Program, name: StateName, place: Place): Promise<(Command | undefined)[]> {
    if (name.startsWith('empty:')) {
      mkdirSync(place.home, { recursive: true });
      return [program.init(place, name.slice('empty:'.length))];
    }
    const { from, commands } = RECIPES[name as keyof typeof RECIPES];
    const origin = await this.open(program, from);
    copyPlace(origin, place);
    return commands(program, place, this.#context);
  }
}

export function placeAt(folder: string): Place {
  return { home: join(folder, 'home'), repository: join(folder, 'repository') };
}

/** A copy that may be changed. What is written once and never again (segments, packs) is linked, not copied. */
export function copyPlace(from: Place, to: Place): void {
  rmSync(to.home, { recursive: true, force: true });
  rmSync(to.repository, { recursive: true, force: true });
  cpSync(from.home, to.home, { recursive: true, preserveTimestamps: true });
  copyLinked(from.repository, to.repository, false);
}

function copyLinked(from: string, to: string, writtenOnce: boolean): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyLinked(source, target, writtenOnce || entry.name === 'data');
    else if (writtenOnce) linkSync(source, target);
    else cpSync(source, target, { preserveTimestamps: true });
  }
}
