/**
 * Differences as lines of text or of JSON.
 *
 * Source: Borg 1.4.5, item.pyx, ItemDiff; archiver.py, do_diff.
 */
import { formatFileMode } from '../../util/file-mode.ts';
import { formatFileSize } from '../../util/file-size.ts';
import { encodeJson, type JsonValue } from '../../util/json-text.ts';
import { decodeSurrogateEscaped, toDisplayText } from '../../util/surrogate-escape.ts';
import { itemLocalTime } from '../../util/wall-time.ts';
import { TimeValue } from '../listing/format-keys.ts';
import { type Change, isActualChange, type OwnerName } from './change.ts';
import type { PathDiff } from './compare-archives.ts';

const CHANGES_WIDTH = 19;

/** As `list` shows lines: `encodeSurrogateEscaped` makes its bytes. */
export function formatDiffLine({ path, changes }: PathDiff): string {
  const text = changes.filter(isActualChange).map(changeText).join(' ');
  const padding = ' '.repeat(Math.max(0, CHANGES_WIDTH - Array.from(text).length));
  return `${text}${padding} ${toDisplayText(path)}\n`;
}

export function formatDiffJson({ path, changes }: PathDiff): string {
  const value = { path: toDisplayText(path), changes: changes.filter(isActualChange).map(changeJson) };
  return `${encodeJson(value, { sortKeys: true })}\n`;
}

function changeText(change: Change): string {
  switch (change.type) {
    case 'added':
      return `added ${formatFileSize(change.sizeBytes).padStart(13)}`;
    case 'removed':
      return `removed ${formatFileSize(change.sizeBytes).padStart(11)}`;
    case 'modified': {
      const { addedBytes, removedBytes } = change;
      if (addedBytes === undefined || removedBytes === undefined) return 'modified';
      return [addedBytes, 0 - removedBytes].map(signedSize).join(' ');
    }
    case 'owner': {
      const { oldUser, oldGroup, newUser, newGroup } = change;
      const [a, b, c, d] = [oldUser, oldGroup, newUser, newGroup].map(ownerText);
      return `[${a}:${b} -> ${c}:${d}]`;
    }
    case 'mode':
      return `[${formatFileMode(change.oldMode)} -> ${formatFileMode(change.newMode)}]`;
    case 'ctime':
    case 'mtime': {
      const [before, after] = [change.oldNs, change.newNs].map((timeNs) => timeValue(timeNs).format(''));
      return `[${change.type}: ${before} -> ${after}]`;
    }
    default:
      return change.type;
  }
}

function changeJson(change: Change): JsonValue {
  const { type } = change;
  switch (type) {
    case 'added':
    case 'removed':
      return { type, size: change.sizeBytes };
    case 'modified':
      return { type, added: change.addedBytes, removed: change.removedBytes };
    case 'owner':
      return {
        type,
        old_user: ownerJson(change.oldUser),
        old_group: ownerJson(change.oldGroup),
        new_user: ownerJson(change.newUser),
        new_group: ownerJson(change.newGroup),
      };
    case 'mode':
      return { type, old_mode: formatFileMode(change.oldMode), new_mode: formatFileMode(change.newMode) };
    case 'ctime':
    case 'mtime':
      return {
        type,
        [`old_${type}`]: timeValue(change.oldNs).toIso(),
        [`new_${type}`]: timeValue(change.newNs).toIso(),
      };
    default:
      return { type };
  }
}

function signedSize(sizeBytes: number): string {
  return formatFileSize(sizeBytes, { precision: 1, sign: true }).padStart(9);
}

function ownerJson(name: OwnerName): string | number | null {
  return name instanceof Uint8Array ? decodeSurrogateEscaped(name) : name;
}

/** Where nothing is stored, Borg shows Python's word for it. */
function ownerText(name: OwnerName): string {
  return String(ownerJson(name) ?? 'None');
}

function timeValue(timeNs: bigint): TimeValue {
  return new TimeValue(itemLocalTime(timeNs));
}
