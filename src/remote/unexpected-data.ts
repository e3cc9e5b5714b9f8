/** What a server sent in place of an answer, often the words of a shell: shown so that its user knows them again. */
import { harmless } from './server-log.ts';

const MAX_CHARS = 128;
const HEX_BYTES_A_LINE = 16;

/**
 * The beginning as text, or in hexadecimal where it is none.
 *
 * Source: Borg 1.4.5 remote.py, UnexpectedRPCDataFormatFromServer.
 */
export function describeBytes(bytes: Uint8Array): string {
  try {
    return harmless(new TextDecoder('utf-8', { fatal: true }).decode(bytes).slice(0, MAX_CHARS));
  } catch {
    const words = Array.from(bytes.subarray(0, MAX_CHARS), (byte) =>
      byte.toString(16).padStart(2, '0').toUpperCase(),
    );
    const lines: string[] = [];
    for (let at = 0; at < words.length; at += HEX_BYTES_A_LINE) {
      lines.push(words.slice(at, at + HEX_BYTES_A_LINE).join(' '));
    }
    return lines.join('\n');
  }
}
