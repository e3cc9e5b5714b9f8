/** What repairs have put aside, for people. Beyond Borg. */
import type { QuarantinedRepair } from '../../repository/quarantine.ts';
import { formatFileSize } from '../../util/file-size.ts';

/** One line for each repair, and the files of each below it. */
export function quarantineLines(repairs: readonly QuarantinedRepair[], iec: boolean): string[] {
  const size = (sizeBytes: number): string => formatFileSize(sizeBytes, { iec });
  return repairs.flatMap(({ name, files, sizeBytes }) => [
    `${name}  ${size(sizeBytes)}`,
    ...files.map((file) => `  ${file.path}  ${size(file.sizeBytes)}`),
  ]);
}
