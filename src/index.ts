/** The library: what other programs may build on. Everything else may change at any time. */

// What every call needs: a context, and an open repository.
export { createContext } from './platform/default-context.ts';
export type { Context, Environment } from './util/context.ts';
export {
  type ArchiveCounts,
  type LogLevel,
  type MessageProgress,
  type PercentProgress,
  type Question,
  type Reporter,
  SilentReporter,
} from './util/reporter.ts';
export { BorgError, BorgWarning } from './errors.ts';
export { InvalidLocation, Location } from './format/location.ts';
export {
  initAnyRepository as initRepository,
  openAnyRepository as openRepository,
  openSegmentRepository,
  type RemoteSettings,
} from './any-repository.ts';
export type { InitOptions } from './archive/init-repository.ts';
export type { Session, SessionOptions } from './archive/session.ts';
export type { Repository } from './repository/repository.ts';
export type { CompressionSpec } from './compress/compression-spec.ts';

// Looking.
export {
  selectArchives as listArchives,
  type ArchiveSelection,
  type ArchiveSortKey,
  type SelectedArchive,
} from './archive/archive-selection.ts';
export { Archive, type ArchiveOptions } from './archive/archive.ts';
export type { ArchiveMetadata } from './format/archive-metadata.ts';
export type { ChunkRef, Item } from './format/item.ts';
export { PatternMatcher } from './archive/patterns/pattern-matcher.ts';
export { parseExcludePattern, type PatternRule } from './archive/patterns/pattern-command.ts';
export type { PatternStyle } from './archive/patterns/pattern.ts';
export { diffArchives, type DiffOptions } from './archive/diff/diff.ts';
export type { Change } from './archive/diff/change.ts';
export type { PathDiff } from './archive/diff/compare-archives.ts';

// Backing up and restoring.
export { createArchive, type CreateArchiveOptions, type CreatedArchive } from './archive/create/create.ts';
export { createDefaults } from './archive/create/create-defaults.ts';
export type { BackupSelection, BackupSource } from './archive/create/backup-source.ts';
export type { Statistics } from './archive/statistics.ts';
export { extractArchive, type ExtractOptions } from './archive/extract/extract.ts';
export { exportTar, type ExportTarOptions } from './archive/tar/export-tar.ts';
export { importTar, type ImportTarOptions } from './archive/tar/import-tar.ts';
export type { TarFormat } from './archive/tar/member-header.ts';
export type { TarFile, TarSink } from './archive/tar/tar-output.ts';

// Archives as a tree of files.
export { openVfs, type VfsOptions, type VfsSource } from './mount/open-vfs.ts';
export {
  ROOT_INODE,
  type Soon,
  type Vfs,
  type VfsAttributes,
  type VfsEntry,
  VfsError,
  type VfsErrorCode,
  type VfsFile,
  type VfsStatistics,
} from './mount/vfs.ts';

// Changing and deleting archives.
export {
  recreateArchive,
  recreateArchives,
  type RecreateAllOptions,
  type RecreateOptions,
} from './archive/recreate/recreate.ts';
export { renameArchive } from './archive/rename.ts';
export { type DeletedArchive, deleteArchives, type DeleteOptions } from './archive/delete.ts';
export { type Fate, type PrunedArchive, pruneArchives, type PruneOptions } from './archive/prune.ts';
export type { KeepReason, RetentionPolicy } from './archive/prune-rules.ts';
export { compactRepository } from './archive/compact-repository.ts';

// History and undo.
export {
  type HistoryEntry,
  type HistoryOptions,
  repositoryHistory,
  type TimeSource,
} from './archive/history/repository-history.ts';
export type { ArchiveChanges } from './archive/history/archive-changes.ts';
export { planRollback, type RollbackOptions, type RollbackPlan } from './archive/history/roll-back.ts';
export type { SegmentRepository } from './repository/segment-repository.ts';

// Checking.
export { checkRepository, type CheckOptions, type CheckResult } from './archive/check/check.ts';
export {
  checkArchives,
  type ArchivesCheckOptions,
  type ArchivesCheckResult,
} from './archive/check/check-archives.ts';
export type { DamageCollector, DamagedArchive, DamagedChunk, DamagedFile } from './archive/check/damage.ts';
