import { formatFileSize } from '../util/file-size.ts';
import { toDisplayText } from '../util/surrogate-escape.ts';

/** What is being worked on, for a user who asks by a signal. Source: Borg 1.4.5 archiver.py, sig_info_handler. */
export function workText(path: Uint8Array, doneBytes: number, totalBytes: number | undefined): string {
  const total = totalBytes === undefined ? '???' : formatFileSize(totalBytes);
  return `${toDisplayText(path)} ${formatFileSize(doneBytes)}/${total}`;
}
