/** What a check found and did, as JSON; docs/schemas/check.json describes it. Beyond Borg. */
import type { ArchivesCheckResult } from '../../archive/check/check-archives.ts';
import type { CheckResult } from '../../archive/check/check.ts';
import type { DamageCollector } from '../../archive/check/damage.ts';
import type { RepairLog } from '../../archive/check/repair-log.ts';
import type { RepositoryCheckResult } from '../../repository/check-result.ts';
import { toHex } from '../../util/bytes.ts';
import type { JsonValue } from '../../util/json-text.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';

export function checkJson(
  repository: { readonly idHex: string; readonly location: string },
  { repair, dryRun }: { readonly repair: boolean; readonly dryRun: boolean },
  result: CheckResult,
): JsonValue {
  return {
    repository: { id: repository.idHex, location: repository.location },
    ok: result.ok,
    repair,
    dry_run: dryRun,
    repository_check: result.repository === undefined ? null : repositoryJson(result.repository),
    archives_check: result.archives === undefined ? null : archivesJson(result.archives),
    damage: result.damage === undefined ? null : damageJson(result.damage),
    damage_problem: result.damageProblem ?? null,
  };
}

function repositoryJson({ ok, finished, damage, plan, checksums }: RepositoryCheckResult): JsonValue {
  return {
    ok,
    finished,
    damage:
      damage?.map(({ kind, segment, offset, sizeBytes, id, text }) => ({
        kind,
        segment,
        offset,
        size: sizeBytes,
        id: id === undefined ? undefined : toHex(id),
        text,
      })) ?? null,
    checksums: checksums === undefined ? null : { ...checksums },
    steps:
      plan?.map(({ action, path, to, sizeBytes, text }) => ({ action, path, to, size: sizeBytes, text })) ??
      null,
  };
}

function archivesJson({ ok, errorFound, steps }: ArchivesCheckResult): JsonValue {
  return { ok, problems_found: errorFound, steps: steps === undefined ? null : stepsJson(steps) };
}

function stepsJson(log: RepairLog): JsonValue {
  return {
    deleted_chunks: log.deletedCount,
    deleted_chunk_ids: log.deletedIds.map(toHex),
    found_archives: log.foundArchives?.map(({ name, id }) => ({ name, id: toHex(id) })) ?? null,
    newer_archives: log.newerArchives.map(({ name, id }) => ({ name, id: toHex(id) })),
    archives: log.archives.map((step) => ({
      name: step.name,
      id: toHex(step.id),
      action: step.action,
      reason: step.reason,
      new_id: step.newId === undefined ? undefined : toHex(step.newId),
      zeroed_files: step.zeroedFiles,
      healed_files: step.healedFiles,
      unreadable_parts: step.unreadableParts,
    })),
    renewed_nonces: log.renewsNonces,
    orphaned_objects: log.orphanCount,
    superseded_objects: log.supersededCount,
  };
}

function damageJson(damage: DamageCollector): JsonValue {
  const { count, sizeBytes } = damage.newlyNeeded;
  return {
    manifest: damage.manifestProblem ?? null,
    archives: damage.archives.map(({ name, id, problem, gaps }) => ({ name, id: toHex(id), problem, gaps })),
    files: Array.from(damage.files, (file) => ({
      path: toDisplayText(file.path),
      archives: file.archiveRanges.map(([first, last]) => ({
        first: damage.archiveNames[first]!,
        last: damage.archiveNames[last]!,
        count: last - first + 1,
      })),
      lost_size: file.lostBytes,
      replaced_before: file.onlyReplaced,
      chunks: [...file.chunkIds],
      more_chunks: file.moreChunks,
    })),
    more_files: damage.uncountedFiles,
    chunks: Array.from(damage.chunks(), (chunk) => ({
      id: toHex(chunk.id),
      problem: chunk.problem,
      size: chunk.sizeBytes,
      references: chunk.references,
    })),
    summary: {
      chunks: count,
      size: sizeBytes,
      affected_archives: damage.affectedArchiveCount,
      checked_archives: damage.archiveNames.length,
      unneeded_objects: damage.unneededCount,
    },
  };
}
