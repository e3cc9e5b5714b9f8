/** The hints of a repository as JSON. Source: Borg 1.4.5, archiver.py, do_debug_dump_hints. */
import type { Hints } from '../../format/hints.ts';
import { fromBinaryString, toHex } from '../../util/bytes.ts';
import { encodeJson, type JsonValue } from '../../util/json-text.ts';

/** Without a line end. */
export function dumpHints({ segments, compact, storageQuotaUseBytes, shadowIndex }: Hints): string {
  const shadows = [...shadowIndex].map(([id, at]): [string, JsonValue] => [toHex(fromBinaryString(id)), at]);
  const value = {
    segments: bySegment(segments),
    compact: bySegment(compact),
    storage_quota_use: storageQuotaUseBytes,
    shadow_index: new Map(shadows),
  };
  return encodeJson(value, { indent: '    ' });
}

function bySegment(counts: ReadonlyMap<number, number>): ReadonlyMap<string, JsonValue> {
  return new Map([...counts].map(([segment, count]) => [String(segment), count]));
}
