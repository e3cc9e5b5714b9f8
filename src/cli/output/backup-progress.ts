import { formatFileSize } from '../../util/file-size.ts';
import type { ArchiveProgressLine } from './terminal-reporter.ts';
import { ellipsisTruncate, fitTo, padTo, textWidth } from './width.ts';

export interface ProgressLineOptions {
  readonly iec: boolean;
  nowNs(): bigint;
}

/** The room that a path needs to tell anything. */
const MIN_PATH_COLUMNS = 12;

/** `1,234 files  5.67 GB read  1.23 GB new  89.10 MB/s  path`. */
export function backupProgressLine(options: ProgressLineOptions): ArchiveProgressLine {
  const rate = rateOf(options);
  return (counts, path, columns) => {
    const parts = [
      `${counts.files.toLocaleString('en-US')} files`,
      `${size(counts.originalSizeBytes, options)} read`,
      `${size(counts.deduplicatedSizeBytes, options)} new`,
      rate(counts.originalSizeBytes),
    ];
    return columns === undefined ? [...parts, path].join('  ') : fitParts(parts, '  ', path, columns);
  };
}

/**
 * Original, compressed and deduplicated size, number of files, path: Borg 1.4.5 archive.py, Statistics.show_progress;
 * at a terminal also the rate.
 */
export function borgProgressLine(options: ProgressLineOptions): ArchiveProgressLine {
  const rate = rateOf(options);
  return (counts, path, columns) => {
    const parts = [
      `${size(counts.originalSizeBytes, options)} O`,
      `${size(counts.compressedSizeBytes, options)} C`,
      `${size(counts.deduplicatedSizeBytes, options)} D`,
      `${counts.files} N`,
    ];
    if (columns === undefined) return `${parts.join(' ')} ${path}`;
    return fitParts([...parts, rate(counts.originalSizeBytes)], ' ', path, columns);
  };
}

function size(sizeBytes: number, { iec }: ProgressLineOptions): string {
  return formatFileSize(Math.round(sizeBytes), { iec });
}

/** What has come in since the start, a second. */
function rateOf(options: ProgressLineOptions): (sizeBytes: number) => string {
  const startNs = options.nowNs();
  return (sizeBytes) => {
    const seconds = Math.max(Number(options.nowNs() - startNs) / 1e9, 0.001);
    return `${size(sizeBytes / seconds, options)}/s`;
  };
}

/** The last part goes where the path would have no room; the others stay as long as they fit. */
function fitParts(parts: readonly string[], separator: string, path: string, columns: number): string {
  const shown = [...parts];
  const text = () => `${shown.join(separator)}${separator}`;
  if (textWidth(text()) + 2 * MIN_PATH_COLUMNS > columns) shown.pop();
  const space = columns - textWidth(text());
  if (space >= MIN_PATH_COLUMNS) return padTo(text() + ellipsisTruncate(path, space), columns);
  while (shown.length > 1 && textWidth(shown.join(separator)) > columns) shown.pop();
  return fitTo(shown.join(separator), columns);
}
