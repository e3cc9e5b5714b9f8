/** Text measured in cells of a terminal. Source: Borg 1.4.5 helpers/parseformat.py (swidth_slice, ellipsis_truncate). */

/** Cells that the text takes: two for wide characters, none for combining marks. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

/** Shortens from the middle, `this_is_a...g_string`, and fills up to `space` cells. */
export function ellipsisTruncate(text: string, space: number): string {
  const width = textWidth(text);
  if (space < 8) return `...${' '.repeat(Math.max(0, space - 3))}`;
  if (space >= 3 + width) return text + ' '.repeat(space - width);
  const head = sliceStart(text, Math.floor(space / 2) - 3);
  const tail = sliceEnd(text, Math.ceil(space / 2));
  return `${head}...${tail}`;
}

/** Fills up to `columns` cells, so that the line covers what stood there. */
export function padTo(text: string, columns: number | undefined): string {
  return columns === undefined ? text : text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

/** A line of exactly `columns` cells: what is longer would wrap, and could not be overwritten. */
export function fitTo(text: string, columns: number): string {
  return textWidth(text) > columns ? ellipsisTruncate(text, columns) : padTo(text, columns);
}

/** What a terminal would take as a command (control characters) as `?`. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, '?');
}

function sliceStart(text: string, maxWidth: number): string {
  let width = 0;
  let result = '';
  for (const char of text) {
    width += charWidth(char);
    if (width > maxWidth) break;
    result += char;
  }
  return result;
}

function sliceEnd(text: string, maxWidth: number): string {
  let width = 0;
  const result: string[] = [];
  for (const char of Array.from(text).toReversed()) {
    width += charWidth(char);
    if (width > maxWidth) break;
    result.push(char);
  }
  return result.toReversed().join('');
}

function charWidth(char: string): number {
  const code = char.codePointAt(0)!;
  if (code < 0x300) return 1;
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(char)) return 0;
  return isWide(code) ? 2 : 1;
}

/** East Asian wide and fullwidth ranges, and emoji. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function isWide(code: number): boolean {
  return wideRanges.some(([from, to]) => code >= from && code <= to);
}
