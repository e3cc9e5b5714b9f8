/**
 * The steps of a repair. They are found without changing anything; taking them is a matter of calling `run` in order.
 *
 * The order is such that a crash between two steps leaves a repository that a further check can mend as well: first the
 * COMMIT is made good, since a damaged one is recognized by files that later steps remove; then the index goes, since
 * it would point into segments that are no more; then the segments are replaced, each by one rename; the last step is
 * the new index.
 */
import { encodeSegmentChecksums, type ChecksumRecord } from '../../format/segment-checksums.ts';
import { encodeRescueMap } from '../../format/rescue-map.ts';
import { COMMIT_ENTRY, MAGIC_SIZE_BYTES, SEGMENT_MAGIC } from '../../format/segment.ts';
import type { Store } from '../../store/store.ts';
import { saveWholeFile } from '../../store/whole-file.ts';
import type { ByteRanges } from '../../util/byte-ranges.ts';
import { fromUtf8 } from '../../util/bytes.ts';
import { formatFileSize } from '../../util/file-size.ts';
import type { RepairStep } from '../check-result.ts';
import { createQuarantineFolder, keepFile, moveFile } from '../quarantine.ts';
import type { RepositoryState } from '../replay.ts';
import { type ChecksumCursor, readChecksums } from '../segment-checksums.ts';
import type { SegmentLog } from '../segment-log.ts';
import type { TransactionFiles } from '../transaction-files.ts';
import type { SalvagedSegment } from './salvaged-segment.ts';

export interface PlannedStep {
  readonly step: RepairStep;
  readonly run: () => void;
}

export interface DamagedSegment {
  readonly segment: number;
  readonly sizeBytes: number;
  readonly bad: ByteRanges;
  readonly lostBytes: number;
  readonly salvaged: SalvagedSegment;
}

export class RepairPlan {
  readonly steps: PlannedStep[] = [];
  readonly #store: Store;
  readonly #log: SegmentLog;
  readonly #files: TransactionFiles;
  readonly #folder: string;

  constructor(log: SegmentLog, files: TransactionFiles, folder: string) {
    this.#store = log.files.store;
    this.#log = log;
    this.#files = files;
    this.#folder = folder;
  }

  /** Segments that no COMMIT follows leave the log. */
  removeUncommitted(transactionId: number): void {
    for (const segment of this.#log.files.ascending(transactionId + 1)) {
      const path = this.#log.files.path(segment);
      const sizeBytes = this.#log.files.sizeBytes(segment) ?? 0;
      if (sizeBytes === 0) {
        this.#add({ action: 'remove', path, sizeBytes, text: `remove ${path}, which is empty` }, () =>
          this.#log.removeSegment(segment),
        );
        continue;
      }
      const to = this.#to(`segment.${segment}`);
      const text = `move ${path} (${formatFileSize(sizeBytes)}, not committed) to ${to}`;
      this.#moveChecksums(segment, to);
      this.#add({ action: 'move', path, to, sizeBytes, text }, () => {
        this.#log.forgetSegment(segment);
        moveFile(this.#store, path, to);
      });
    }
  }

  #moveChecksums(segment: number, segmentTo: string): void {
    const path = this.#log.files.checksumsPath(segment);
    const sizeBytes = this.#store.stat(path)?.sizeBytes;
    if (sizeBytes === undefined) return;
    const to = `${segmentTo}.sums`;
    this.#add({ action: 'move', path, to, sizeBytes, text: `move ${path} to ${to}` }, () =>
      moveFile(this.#store, path, to),
    );
  }

  addCommit(segment: number): void {
    const path = this.#log.files.path(segment);
    const sizeBytes = MAGIC_SIZE_BYTES + COMMIT_ENTRY.length;
    this.#add({ action: 'write', path, sizeBytes, text: `write ${path}, a COMMIT` }, () => {
      const file = this.#log.files.create(segment);
      try {
        file.write(SEGMENT_MAGIC, COMMIT_ENTRY);
        file.sync();
      } finally {
        file.close();
      }
      this.#log.files.syncName(segment);
    });
  }

  moveTransactionFiles(): void {
    for (const { path } of this.#files.named()) {
      const to = this.#to(path);
      const sizeBytes = this.#store.stat(path)?.sizeBytes ?? 0;
      this.#add({ action: 'move', path, to, sizeBytes, text: `move ${path} to ${to}` }, () =>
        moveFile(this.#store, path, to),
      );
    }
  }

  replaceSegment(damaged: DamagedSegment, keep: boolean): void {
    const { segment, sizeBytes, bad, lostBytes, salvaged } = damaged;
    const path = this.#log.files.path(segment);
    const to = this.#to(`segment.${segment}`);
    if (!bad.isEmpty) this.#writeText(`${to}.map`, encodeRescueMap(sizeBytes, bad));
    const size = formatFileSize(sizeBytes);
    if (keep)
      this.#add({ action: 'keep', path, to, sizeBytes, text: `keep ${path} (${size}) as ${to}` }, () => {});
    const what = `replace ${path} by its sound entries (${formatFileSize(salvaged.sizeBytes)}; ${lostBytes} B are lost)`;
    const text = keep ? what : `${what}, without keeping it`;
    this.#add({ action: 'replace', path, sizeBytes: salvaged.sizeBytes, text }, () => {
      this.#log.forgetSegment(segment);
      this.#replace(path, salvaged, keep ? to : undefined);
    });
    this.#replaceChecksums(damaged, keep ? `${to}.sums` : undefined);
  }

  /** Behind the segment: until then, the old ones are about entries at other places, and count for nothing. */
  #replaceChecksums({ segment, salvaged }: DamagedSegment, keepAs: string | undefined): void {
    const path = this.#log.files.checksumsPath(segment);
    if (this.#store.stat(path) === undefined) return;
    const records = movedRecords(readChecksums(this.#log.files, segment), salvaged);
    const bytes = encodeSegmentChecksums(records);
    if (keepAs !== undefined) {
      this.#add({ action: 'keep', path, to: keepAs, text: `keep ${path} as ${keepAs}` }, () =>
        keepFile(this.#store, path, keepAs),
      );
    }
    const text = `replace ${path} by the checksums of the sound entries`;
    this.#add({ action: 'replace', path, sizeBytes: bytes.length, text }, () =>
      saveWholeFile(this.#store, path, bytes),
    );
  }

  writeTransactionFiles(transactionId: number, state: RepositoryState): void {
    const text = `write index.${transactionId}, hints.${transactionId}, integrity.${transactionId}`;
    const path = `index.${transactionId}`;
    this.#add({ action: 'write', path, sizeBytes: state.index.buckets.length, text }, () =>
      this.#files.write(transactionId, state.index, state.hints),
    );
  }

  /** Says within the quarantine what was done, if anything was put there; the first step, since it names the others. */
  explain(damage: readonly string[]): void {
    if (!this.steps.some(({ step }) => step.to !== undefined)) return;
    const lines = [
      'What a repair of this repository replaced, as it was before.',
      '',
      'Damage:',
      ...damage,
      '',
      'Steps:',
    ];
    const text = [...lines, ...this.steps.map(({ step }) => step.text), ''].join('\n');
    const later = this.steps.splice(0);
    this.#writeText(this.#to('README'), text);
    this.steps.push(...later);
  }

  #replace(path: string, salvaged: SalvagedSegment, keepAs: string | undefined): void {
    const temporary = `${path}.tmp`;
    if (this.#store.stat(temporary) !== undefined) this.#store.removeFile(temporary);
    try {
      this.#copySound(path, temporary, salvaged);
      if (keepAs !== undefined) keepFile(this.#store, path, keepAs);
    } catch (error) {
      if (this.#store.stat(temporary) !== undefined) this.#store.removeFile(temporary);
      throw error;
    }
    this.#store.rename(temporary, path);
    this.#store.syncFolder(path.slice(0, path.lastIndexOf('/')));
  }

  #copySound(path: string, to: string, salvaged: SalvagedSegment): void {
    const from = this.#store.openFile(path);
    try {
      const file = this.#store.createFile(to);
      try {
        salvaged.copy(from, file);
        file.sync();
      } finally {
        file.close();
      }
    } finally {
      from.close();
    }
  }

  #writeText(path: string, text: string): void {
    const bytes = fromUtf8(text);
    this.#add({ action: 'write', path, sizeBytes: bytes.length, text: `write ${path}` }, () => {
      createQuarantineFolder(this.#store, path);
      saveWholeFile(this.#store, path, bytes);
    });
  }

  #add(step: RepairStep, run: () => void): void {
    this.steps.push({ step, run });
  }

  #to(name: string): string {
    return `${this.#folder}/${name}`;
  }
}

/** The records of entries that are kept, for their new places. */
function movedRecords(checksums: ChecksumCursor | undefined, salvaged: SalvagedSegment): ChecksumRecord[] {
  return [...(checksums?.rest() ?? [])].flatMap((record) => {
    const offset = salvaged.target(record.offset);
    return offset === undefined ? [] : [{ ...record, offset }];
  });
}
