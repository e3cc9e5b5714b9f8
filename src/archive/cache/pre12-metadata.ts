/**
 * Sizes of archives whose own metadata lacks them, as archives of Borg before 1.2 do: JSON in the cache's file
 * `pre12-meta`, from archive id (hex) to sizes.
 *
 * Source: Borg 1.4.5, cache.py, LocalCache (create, _do_open, close); archive.py, Statistics.as_raw_dict.
 */
import type { RawStatistics } from '../statistics.ts';

const NAMES = [
  ['size', 'size'],
  ['csize', 'csize'],
  ['nfiles', 'nfiles'],
  ['size_parts', 'sizeParts'],
  ['csize_parts', 'csizeParts'],
  ['nfiles_parts', 'nfilesParts'],
] as const;

export type Pre12Metadata = Map<string, RawStatistics>;

export function encodePre12Metadata(metadata: Pre12Metadata): string {
  const archives: Record<string, Record<string, number>> = {};
  for (const [id, raw] of metadata) {
    archives[id] = Object.fromEntries(NAMES.map(([name, field]) => [name, raw[field]]));
  }
  return JSON.stringify(archives, undefined, 4);
}

/** Empty where the text is damaged, and without entries that are: it can all be computed again. */
export function decodePre12Metadata(text: string): Pre12Metadata {
  const metadata: Pre12Metadata = new Map();
  let archives: unknown;
  try {
    archives = JSON.parse(text);
  } catch {
    return metadata;
  }
  if (!isRecord(archives)) return metadata;
  for (const [id, entry] of Object.entries(archives)) {
    if (!isRecord(entry)) continue;
    const raw = { size: 0, csize: 0, nfiles: 0, sizeParts: 0, csizeParts: 0, nfilesParts: 0 };
    const isWhole = NAMES.every(([name, field]) => {
      const value = entry[name];
      if (!Number.isSafeInteger(value)) return false;
      raw[field] = value as number;
      return true;
    });
    if (isWhole) metadata.set(id, raw);
  }
  return metadata;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
