/** The table in docs/RELIABILITY.md of what the last run tried. */
import { readFileSync, writeFileSync } from 'node:fs';
import { totalOf, type Campaign, type CampaignResult } from './campaign.ts';

const DOCUMENT = new URL('../../docs/RELIABILITY.md', import.meta.url);
const MARKERS = /(<!-- faults -->\n)[^]*(<!-- \/faults -->)/;

export function writeReliabilityTable(results: readonly (readonly [Campaign, CampaignResult])[]): void {
  const rows = results.map(([{ name, title }, result]) => {
    const { tried, failures, seed } = result;
    const kinds = Object.values(tried).filter((count) => count > 0).length;
    return [
      title,
      totalOf(result).toLocaleString('en-US'),
      String(kinds),
      String(failures.length),
      `${name}, ${seed}`,
    ];
  });
  const head = ['fault', 'cases', 'kinds', 'failed', 'campaign, seed'];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]!.length)));
  const ruler = widths.map((width) => '-'.repeat(width));
  const lines = [head, ruler, ...rows].map(
    (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`,
  );
  const text = readFileSync(DOCUMENT, 'utf8');
  if (!MARKERS.test(text)) throw new Error('docs/RELIABILITY.md has no place for the table');
  writeFileSync(
    DOCUMENT,
    text.replace(MARKERS, (_, start: string, end: string) => `${start}\n${lines.join('\n')}\n\n${end}`),
  );
}
