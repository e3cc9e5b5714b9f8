import type { SelectedArchive } from '../../archive/archive-selection.ts';
import { toHex } from '../../util/bytes.ts';
import { archiveLocalTime, formatTime } from '../../util/wall-time.ts';

/** Name, time and id in columns. Source: Borg 1.4.5 helpers/parseformat.py, format_archive. */
export function archiveLine({ name, timeNs, id }: SelectedArchive): string {
  return `${name.padEnd(36)} ${formatTime(archiveLocalTime(timeNs / 1000n))} [${toHex(id)}]`;
}
