/** The library: what other programs may build on. Everything else may change at any time. */
export { Archive, type ArchiveOptions } from './archive/archive.ts';
export {
  selectArchives as listArchives,
  type ArchiveSelection,
  type ArchiveSortKey,
  type SelectedArchive,
} from './archive/archive-selection.ts';
export { checkRepository, type CheckOptions, type CheckResult } from './archive/check/check.ts';
export {
  checkArchives,
  type ArchivesCheckOptions,
  type ArchivesCheckResult,
} from './archive/check/check-archives.ts';
export type { DamageCollector, DamagedArchive, DamagedChunk, DamagedFile } from './archive/check/damage.ts';
export { createArchive, type CreateArchiveOptions, type CreatedArchive } from './archive/create/create.ts';
export type { BackupSelection, BackupSource } from './archive/create/backup-source.ts';
export { diffArchives, type DiffOptions } from './archive/diff/diff.ts';
export type { Change } from './archive/diff/change.ts';
export type { PathDiff } from './archive/diff/compare-archives.ts';
export { extractArchive, type ExtractOptions } from './archive/extract/extract.ts';
export { initRepository, type InitOptions } from './archive/init-repository.ts';
export { PatternMatcher } from './archive/patterns/pattern-matcher.ts';
export { recreateArchive, recreateArchives, type RecreateOptions } from './archive/recreate/recreate.ts';
export { renameArchive } from './archive/rename.ts';
export { exportTar, type ExportTarOptions } from './archive/tar/export-tar.ts';
export { importTar, type ImportTarOptions } from './archive/tar/import-tar.ts';
export type { TarFormat } from './archive/tar/member-header.ts';
export type { TarFile } from './archive/tar/tar-output.ts';
export { openSession as openRepository, type Session, type SessionOptions } from './archive/session.ts';
export { BorgError, BorgWarning } from './errors.ts';
export type { ChunkRef, Item } from './format/item.ts';
export { InvalidLocation, Location } from './format/location.ts';
export type { Context } from './util/context.ts';
export { SilentReporter, type Reporter } from './util/reporter.ts';
