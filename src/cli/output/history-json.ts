/** The history of a repository as JSON; docs/schemas/history.json describes it. Beyond Borg. */
import type { HistoryEntry } from '../../archive/history/repository-history.ts';
import type { JsonValue } from '../../util/json-text.ts';
import { archiveLocalTime, formatIsoTime } from '../../util/wall-time.ts';

export function historyJson(
  repository: { readonly idHex: string; readonly location: string; readonly appendOnly: boolean },
  entries: readonly HistoryEntry[],
): JsonValue {
  return {
    repository: { id: repository.idHex, location: repository.location, append_only: repository.appendOnly },
    transactions: entries.map((entry) => ({
      transaction: entry.transactionId,
      time: entry.timeNs === undefined ? null : formatIsoTime(archiveLocalTime(entry.timeNs / 1000n)),
      time_source: entry.timeSource ?? null,
      size: entry.sizeBytes,
      segments: entry.segmentCount,
      complete: entry.isComplete,
      wrote_manifest: entry.manifest !== undefined,
      manifest_problem: entry.problem ?? null,
      archives: entry.archiveCount ?? null,
      changes:
        entry.changes === undefined
          ? null
          : {
              added: [...entry.changes.added],
              removed: [...entry.changes.removed],
              renamed: entry.changes.renamed.map(({ from, to }) => ({ from, to })),
              changed: [...entry.changes.changed],
            },
    })),
  };
}
