import { textWidth } from '../output/width.ts';

/** Breaks a paragraph into lines of at most `columns` cells. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Paragraphs parted by empty lines; those that begin with a space or with "- " are kept as they are. */
export function wrapParagraphs(text: string, columns: number): string {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => (/^(?: |- )/m.test(paragraph) ? paragraph : wrapText(paragraph, columns).join('\n')))
    .join('\n\n');
}

const TERM_COLUMNS = 26;

/** Terms on the left, what they mean beside them. */
export function definitionList(entries: readonly (readonly [string, string])[], columns: number): string {
  const lines: string[] = [];
  for (const [term, meaning] of entries) {
    const wrapped = wrapText(meaning, Math.max(24, columns - TERM_COLUMNS));
    if (textWidth(term) > TERM_COLUMNS - 4) lines.push(`  ${term}`);
    else lines.push(`  ${term.padEnd(TERM_COLUMNS - 2)}${wrapped.shift() ?? ''}`.trimEnd());
    for (const line of wrapped) lines.push(' '.repeat(TERM_COLUMNS) + line);
  }
  return lines.join('\n');
}
