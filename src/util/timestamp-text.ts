/**
 * Points in time as the user gives them, always UTC.
 *
 * Source: Borg 1.4.5, helpers/time.py, timestamp.
 */

const year = '(?<Y>\\d{4})';
const month = '(?<m>1[0-2]|0[1-9]|[1-9])';
const day = '(?<d>3[0-1]|[1-2]\\d|0[1-9]|[1-9]| [1-9])';
const hour = '(?<H>2[0-3]|[0-1]\\d|\\d)';
const minute = '(?<M>[0-5]\\d|\\d)';
const second = '(?<S>6[0-1]|[0-5]\\d|\\d)';
const yearDay = '(?<j>36[0-6]|3[0-5]\\d|[1-2]\\d\\d|0[1-9]\\d|00[1-9]|[1-9]\\d|0[1-9]|[1-9])';
const date = `${year}-${month}-${day}`;

const forms = [
  `${date}T${hour}:${minute}:${second}Z`,
  `${date}T${hour}:${minute}:${second}\\+00:00`,
  `${date}T${hour}:${minute}:${second}`,
  `${date}\\s+${hour}:${minute}:${second}`,
  `${date}T${hour}:${minute}`,
  `${date}\\s+${hour}:${minute}`,
  date,
  `${year}-${yearDay}`,
].map((form) => new RegExp(`^${form}$`, 'i'));

/** Microseconds since 1970; undefined where the text has none of the forms or names no day of the calendar. */
export function parseTimestampText(text: string): bigint | undefined {
  for (const form of forms) {
    const fields = form.exec(text)?.groups;
    if (fields === undefined) continue;
    const [Y, m, d] = [fields['Y'], fields['m'] ?? 1, fields['d'] ?? 1].map(Number) as [
      number,
      number,
      number,
    ];
    const [H, M, S] = [fields['H'] ?? 0, fields['M'] ?? 0, fields['S'] ?? 0].map(Number) as [
      number,
      number,
      number,
    ];
    const j = fields['j'] === undefined ? undefined : Number(fields['j']);
    const when = new Date(0);
    when.setUTCFullYear(Y, m - 1, d + (j === undefined ? 0 : j - 1));
    // A day of the year may run over into the next one, a day of the month may not.
    const exists = j !== undefined || when.getUTCMonth() === m - 1;
    if (!exists || S > 59 || Y < 1) continue;
    when.setUTCHours(H, M, S);
    return BigInt(when.getTime()) * 1000n;
  }
  return undefined;
}
