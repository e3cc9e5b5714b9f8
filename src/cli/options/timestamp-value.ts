import { parseTimestampText } from '../../util/timestamp-text.ts';
import type { ParseValue } from './option.ts';
import { invalidValue } from './values.ts';

/** Latest time of a file that is taken as it is: two days before 32 bits of seconds run out. */
const MAX_FILE_TIME_NS = BigInt(2 ** 31 - 1 - 48 * 3600) * 1_000_000_000n;

/** The time of a file or directory, or a time as text; ns since 1970. Source: Borg 1.4.5 helpers/time.py, timestamp. */
export const parseTimestamp: ParseValue = async (text, context) => {
  const modifiedNs = text === '' ? undefined : await context.modifiedNs(text);
  if (modifiedNs !== undefined) {
    if (modifiedNs < 0n) return 0n;
    return modifiedNs > MAX_FILE_TIME_NS ? MAX_FILE_TIME_NS : modifiedNs;
  }
  const timeUs = parseTimestampText(text);
  if (timeUs === undefined) throw invalidValue('timestamp', text);
  return timeUs * 1000n;
};
