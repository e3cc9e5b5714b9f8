import type { SelectedArchive } from '../../archive/archive-selection.ts';
import { toHex } from '../../util/bytes.ts';
import { archiveLocalTime, formatTime } from '../../util/wall-time.ts';
import type { Output } from '../io.ts';
import { padTo, textWidth } from './width.ts';

const NAME_CHARS = 36;

/**
 * Name, time and id in columns. Borg pads names to 36 characters, however long they are; with `nameColumns`, which are
 * cells of a terminal, lines stand below each other. Source: Borg 1.4.5 helpers/parseformat.py, format_archive.
 */
export function archiveLine({ name, timeNs, id }: SelectedArchive, nameColumns?: number): string {
  const missing = NAME_CHARS - Array.from(name).length;
  const padded =
    nameColumns === undefined ? name + ' '.repeat(Math.max(0, missing)) : padTo(name, nameColumns);
  return `${padded} ${formatTime(archiveLocalTime(timeNs / 1000n))} [${toHex(id)}]`;
}

/** Room for the longest of the names at a terminal; undefined elsewhere. */
export function nameColumns(names: Iterable<string>, output: Output): number | undefined {
  if (!output.isTerminal) return undefined;
  let widest = NAME_CHARS;
  for (const name of names) widest = Math.max(widest, textWidth(name));
  return widest;
}
