/** The table in docs/RELIABILITY.md of what the last run tried. */
import { readFileSync, writeFileSync } from 'node:fs';
import { totalOf, type Campaign, type CampaignResult } from './campaign.ts';

const DOCUMENT = new URL('../../docs/RELIABILITY.md', import.meta.url);
const MARKERS = /<!-- faults -->\n([^]*)<!-- \/faults -->/;

const HEAD = ['fault', 'cases', 'kinds', 'failed', 'campaign, seed'];

/** Puts in the rows of these campaigns; those of others stay. */
export function writeReliabilityTable(results: readonly (readonly [Campaign, CampaignResult])[]): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [, old] = MARKERS.exec(text) ?? [];
  if (old === undefined) throw new Error('docs/RELIABILITY.md has no place for the table');
  const rows = new Map(rowsOf(old).map((cells) => [campaignOf(cells), cells]));
  for (const result of results) {
    const cells = rowFor(...result);
    rows.set(campaignOf(cells), cells);
  }
  writeFileSync(
    DOCUMENT,
    text.replace(old, () => `\n${formatTable([...rows.values()])}\n\n`),
  );
}

function rowFor({ name, title }: Campaign, result: CampaignResult): string[] {
  const { tried, failures, seed } = result;
  const kinds = Object.values(tried).filter((count) => count > 0).length;
  const cases = totalOf(result).toLocaleString('en-US');
  return [title, cases, String(kinds), String(failures.length), `${name}, ${seed}`];
}

/** The cells of each row below the ruler. */
function rowsOf(table: string): string[][] {
  const lines = table.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function campaignOf(cells: readonly string[]): string {
  return cells.at(-1)!.split(',')[0]!;
}

function formatTable(rows: readonly string[][]): string {
  const widths = HEAD.map((_, column) => Math.max(...[HEAD, ...rows].map((cells) => cells[column]!.length)));
  const ruler = widths.map((width) => '-'.repeat(width));
  return [HEAD, ruler, ...rows]
    .map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`)
    .join('\n');
}
