/** What the reading of a file says about it besides its content. Source: Borg 1.4.5, archive.py, process_file. */
import type { FileStat } from '../../platform/file-stat.ts';
import type { FileResult } from '../../pipeline/file-job.ts';
import { fileError } from '../backup-error.ts';
import type { FilesCache } from '../cache/files-cache.ts';
import type { MetadataCollector } from './metadata-collector.ts';
import { isSpecial } from './path-bytes.ts';
import type { PendingFile } from './pending-file.ts';

/** What tells that a file changed while it was read. */
export type FilesChangedMode = 'ctime' | 'mtime' | 'disabled';

/** Puts the attributes that were read into the item, or notes the error. */
export function settleFile(
  file: PendingFile,
  result: FileResult,
  collector: MetadataCollector,
  filesChanged: FilesChangedMode,
): void {
  const { item, stat } = file;
  if (result.error !== undefined) {
    file.error = fileError(result.error);
    return;
  }
  collector.addAttributes(item, result);
  file.changed = hasChanged(stat, result.statAfter, filesChanged);
}

/** Remembers what was read, so that it need not be read again while it does not change. */
export function memorizeFile(file: PendingFile, files: FilesCache | undefined): void {
  const { stat, pathHash, chunks, readNs, verdict } = file;
  if (stat === undefined || pathHash === undefined) return;
  const ids = chunks.map((chunk) => chunk.id);
  if (verdict === 'same' || verdict === 'changed') files?.replaceIds(pathHash, ids);
  else files?.memorize(pathHash, stat, ids, readNs);
}

/** Fifos and devices change naturally. */
function hasChanged(
  before: FileStat | undefined,
  after: FileStat | undefined,
  mode: FilesChangedMode,
): boolean {
  if (before === undefined || after === undefined || isSpecial(before.mode)) return false;
  if (mode === 'ctime') return before.ctimeNs !== after.ctimeNs;
  return mode === 'mtime' && before.mtimeNs !== after.mtimeNs;
}
