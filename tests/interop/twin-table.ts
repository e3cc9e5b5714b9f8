/** A table of command lines as tests: each row is given to both programs, and the outcomes are compared. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { comparable, type Comparable } from './comparable.ts';
import { Twins, type TwinRun } from './twins.ts';

export interface TwinRow extends TwinRun {
  /** Done in advance, e.g. to change a file. */
  readonly prepare?: (twins: Twins) => void;
  /** Compares what both left behind. */
  readonly verify?: (twins: Twins) => void;
  /** Differences that are meant, each with its reason: that part is not compared. */
  readonly kept?: Partial<Record<keyof Comparable, string>>;
}

export interface TwinTable {
  readonly title: string;
  /** Makes the tree and the repositories. */
  readonly setUp: (twins: Twins) => void | Promise<void>;
  /** Each program writes archives of its own, whose ids, times and sizes differ. */
  readonly ownArchives: boolean;
  /** Starts the reference once for all rows. */
  readonly served?: boolean;
  /** A command line alone stands for a row without anything else. */
  readonly rows: readonly (string | TwinRow)[];
}

/** Rows run in order, so that later ones see what earlier ones left. */
export function compareTwins({ title, setUp, ownArchives, served = false, rows }: TwinTable): void {
  describe(title, () => {
    const twins = new Twins({ served });
    before(() => setUp(twins));
    after(() => twins[Symbol.dispose]());
    for (const given of rows) {
      const row: TwinRow = typeof given === 'string' ? { args: given } : given;
      it(`${describeRow(row)} ends alike`, async () => {
        row.prepare?.(twins);
        const { alcove, borg } = await twins.run(row);
        const folders = [twins.folder('alcove'), twins.folder('borg')];
        const ours = comparable(alcove, { folders, ownArchives });
        const theirs = comparable(borg, { folders, ownArchives });
        assert.deepEqual(compared(ours, row), compared(theirs, row));
        row.verify?.(twins);
      });
    }
  });
}

/** All of it at once, so that a code that differs is told together with what was said. */
function compared(outcome: Comparable, { kept }: TwinRow): Partial<Comparable> {
  return Object.fromEntries(
    Object.entries(outcome).filter(([part]) => kept?.[part as keyof Comparable] === undefined),
  );
}

export function describeRow({ args, env = {}, unprivileged }: TwinRun): string {
  const words = typeof args === 'string' ? args : args.map((word) => JSON.stringify(word)).join(' ');
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value} `);
  return `${unprivileged ? '(unprivileged) ' : ''}${settings.join('')}${words}`;
}
