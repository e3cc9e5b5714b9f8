/** Command lines that are tried together. A row is its words, or a text that is split at spaces. */
import type { CommandLine } from './command-line-twins.ts';

export interface RowGroup {
  readonly title: string;
  readonly rows: readonly CommandLine[];
  readonly env?: Readonly<Record<string, string>>;
}

type Row = string | CommandLine;

export const group = (
  title: string,
  rows: readonly Row[],
  env?: Readonly<Record<string, string>>,
): RowGroup => ({
  title,
  rows: rows.map((row) => (typeof row === 'string' ? row.split(' ') : row)),
  ...(env === undefined ? {} : { env }),
});
