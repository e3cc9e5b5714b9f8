import { textWidth } from '../output/width.ts';
import { readBlocks, type HelpBlock } from './blocks.ts';

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

/** A text of help at the width of a terminal. */
export function formatBlocks(text: string, columns: number): string {
  return readBlocks(text)
    .map((block) => formatBlock(block, columns))
    .join('\n\n');
}

function formatBlock(block: HelpBlock, columns: number): string {
  switch (block.kind) {
    case 'heading':
      return `${block.text}:`;
    case 'paragraph':
      return wrapText(block.text, columns).join('\n');
    case 'literal':
      return block.lines.map((line) => `  ${line}`.trimEnd()).join('\n');
    case 'definitions': {
      const widest = Math.max(...block.entries.map(([term]) => textWidth(term)));
      return definitionList(block.entries, columns, Math.min(TERM_COLUMNS, widest + 4));
    }
  }
}

const TERM_COLUMNS = 26;

/** Terms on the left, what they mean beside them. */
export function definitionList(
  entries: readonly (readonly [string, string])[],
  columns: number,
  termColumns: number = TERM_COLUMNS,
): string {
  const lines: string[] = [];
  for (const [term, meaning] of entries) {
    const wrapped = wrapText(meaning, Math.max(24, columns - termColumns));
    if (textWidth(term) > termColumns - 4) lines.push(`  ${term}`);
    else lines.push(`  ${term.padEnd(termColumns - 2)}${wrapped.shift() ?? ''}`.trimEnd());
    for (const line of wrapped) lines.push(' '.repeat(termColumns) + line);
  }
  return lines.join('\n');
}
