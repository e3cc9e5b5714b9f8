/**
 * Going back to an earlier transaction: the segments behind it leave the log, and are kept in the quarantine.
 *
 * Between the first and the last of them to go, the log would look like that of yet another transaction. So the config
 * says first that a rollback is under way: until it says no more, Borg opens the repository not at all, and this program
 * finishes what was begun. Both are one replaced file; so at each instant there is the old state, the new one, or one
 * that nobody takes for a state.
 */
import { setStartedRollback } from '../format/repository-config.ts';
import type { RepositoryConfig, StartedRollback } from '../format/repository-config.ts';
import type { Store } from '../store/store.ts';
import { saveWholeFile } from '../store/whole-file.ts';
import { fromUtf8 } from '../util/bytes.ts';
import { formatFileSize } from '../util/file-size.ts';
import type { HashIndex } from '../util/hash-index.ts';
import type { Reporter } from '../util/reporter.ts';
import type { RepairStep } from './check-result.ts';
import { saveConfig } from './config-file.ts';
import { createQuarantineFolder, keepFile } from './quarantine.ts';
import type { RepositoryState } from './replay.ts';
import type { SegmentLog } from './segment-log.ts';
import type { TransactionFiles } from './transaction-files.ts';
import { TRANSACTIONS, transactionLogUpTo } from './transaction-log.ts';

/** What a rollback works on. */
export interface UndoNeeds {
  readonly log: SegmentLog;
  readonly files: TransactionFiles;
  readonly config: RepositoryConfig;
  readonly reporter: Reporter;
}

/** What a rollback would do; it has changed nothing yet. */
export interface UndoPlan {
  readonly transactionId: number;
  /** In the quarantine. */
  readonly folder: string;
  /** None where nothing comes after the transaction. */
  readonly steps: readonly RepairStep[];
  /** As it will be. */
  readonly index: HashIndex;
}

export function planSteps(
  { log, files }: UndoNeeds,
  started: StartedRollback,
  { index }: RepositoryState,
): UndoPlan {
  const { transactionId, folder } = started;
  const { store } = log.files;
  const steps: RepairStep[] = [];
  const move = (path: string, name: string): void => {
    const sizeBytes = store.stat(path)?.sizeBytes ?? 0;
    const to = `${folder}/${name}`;
    const text = `move ${path} (${formatFileSize(sizeBytes)}) to ${to}`;
    steps.push({ action: 'move', path, to, sizeBytes, text });
  };
  for (const segment of log.files.ascending(transactionId + 1)) {
    move(log.files.path(segment), `segment.${segment}`);
    const checksums = log.files.checksumsPath(segment);
    if (store.stat(checksums) !== undefined) move(checksums, `segment.${segment}.sums`);
  }
  if (steps.length === 0) return { transactionId, folder, steps, index };
  for (const { path } of files.named()) move(path, path);
  const lines = transactionLogUpTo(store, transactionId);
  if (lines !== undefined) {
    const to = `${folder}/${TRANSACTIONS}`;
    const text = `keep ${TRANSACTIONS} as ${to}, and take the lines of later transactions out`;
    steps.push({ action: 'keep', path: TRANSACTIONS, to, text });
  }
  const path = `index.${transactionId}`;
  const text = `write index.${transactionId}, hints.${transactionId}, integrity.${transactionId}`;
  steps.push({ action: 'write', path, sizeBytes: index.buckets.length, text });
  return { transactionId, folder, steps, index };
}

/** Carries out the plan, with the state that it leads to. Needs the exclusive lock. */
export function undo(
  needs: UndoNeeds,
  { transactionId, folder, steps }: UndoPlan,
  state: RepositoryState,
): void {
  if (steps.length === 0) return;
  const { config, files, log, reporter } = needs;
  const { store } = log.files;
  explain(store, transactionId, folder, steps);
  setStartedRollback(config, { transactionId, folder });
  try {
    saveConfig(store, config, reporter);
  } catch (error) {
    setStartedRollback(config, undefined);
    throw error;
  }
  takeOut(needs, { transactionId, folder });
  files.write(transactionId, state.index, state.hints);
  markFinished(needs);
}

/** Finishes a rollback that was interrupted. The index is rebuilt when it is needed. */
export function finishUndo(needs: UndoNeeds, started: StartedRollback): void {
  takeOut(needs, started);
  markFinished(needs);
}

function markFinished({ config, log, reporter }: UndoNeeds): void {
  setStartedRollback(config, undefined);
  saveConfig(log.files.store, config, reporter);
}

/** Again from the start, wherever it ended before. */
function takeOut({ files, log }: UndoNeeds, { transactionId, folder }: StartedRollback): void {
  const { store } = log.files;
  createQuarantineFolder(store, `${folder}/README`);
  // The index first: it is of what is going away.
  for (const { path } of files.named()) moveAway(store, path, `${folder}/${path}`);
  const lines = transactionLogUpTo(store, transactionId);
  if (lines !== undefined) {
    const kept = `${folder}/${TRANSACTIONS}`;
    if (store.stat(kept) === undefined) keepFile(store, TRANSACTIONS, kept);
    saveWholeFile(store, TRANSACTIONS, fromUtf8(lines));
  }
  const emptied = new Set<string>();
  for (const segment of log.files.ascending(transactionId + 1)) {
    const path = log.files.path(segment);
    log.forgetSegment(segment);
    const checksums = log.files.checksumsPath(segment);
    if (store.stat(checksums) !== undefined) moveAway(store, checksums, `${folder}/segment.${segment}.sums`);
    moveAway(store, path, `${folder}/segment.${segment}`);
    emptied.add(path.slice(0, path.lastIndexOf('/')));
  }
  store.syncFolder(folder);
  for (const path of emptied) store.syncFolder(path);
  store.syncFolder('');
  log.files.removeEmptyFolders();
}

/** What has arrived there before is not moved again. */
function moveAway(store: Store, path: string, to: string): void {
  if (store.stat(to) === undefined) store.rename(path, to);
  else if (store.stat(to)!.sizeBytes === store.stat(path)?.sizeBytes) store.removeFile(path);
  else moveAway(store, path, `${to}.again`);
}

function explain(store: Store, transactionId: number, folder: string, steps: readonly RepairStep[]): void {
  const lines = [
    `What a rollback of this repository to transaction ${transactionId} took out of it, as it was before.`,
    '',
    'While nothing was written to the repository since, the rollback can be taken back: move index.*, hints.* and',
    'integrity.* out of the repository, move the segments, without "segment." before their numbers, to where they were,',
    'and copy "transactions" back, if it is here.',
    '',
    'Steps:',
    ...steps.map(({ text }) => text),
    '',
  ];
  createQuarantineFolder(store, `${folder}/README`);
  saveWholeFile(store, `${folder}/README`, fromUtf8(lines.join('\n')));
}
