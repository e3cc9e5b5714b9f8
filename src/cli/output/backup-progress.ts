import { formatFileSize } from '../../util/file-size.ts';
import type { ArchiveProgressLine } from './terminal-reporter.ts';
import { ellipsisTruncate, textWidth } from './width.ts';

export interface ProgressLineOptions {
  readonly iec: boolean;
  nowNs(): bigint;
}

/** `1,234 files  5.67 GB read  1.23 GB new  89.10 MB/s  path`. */
export function backupProgressLine(options: ProgressLineOptions): ArchiveProgressLine {
  const { iec } = options;
  const startNs = options.nowNs();
  const size = (sizeBytes: number): string => formatFileSize(Math.round(sizeBytes), { iec });
  return (counts, path, columns) => {
    const seconds = Math.max(Number(options.nowNs() - startNs) / 1e9, 0.001);
    const parts = [
      `${counts.files.toLocaleString('en-US')} files`,
      `${size(counts.originalSizeBytes)} read`,
      `${size(counts.deduplicatedSizeBytes)} new`,
      `${size(counts.originalSizeBytes / seconds)}/s`,
    ];
    if (columns === undefined) return [...parts, path].join('  ');
    while (parts.length > 1 && textWidth(parts.join('  ')) > columns) parts.pop();
    const text = `${parts.join('  ')}  `;
    const space = columns - textWidth(text);
    return space >= 12
      ? text + ellipsisTruncate(path, space)
      : text.trimEnd().slice(0, columns).padEnd(columns);
  };
}
