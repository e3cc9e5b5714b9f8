/** Texts of help as the commands' data and the topics have them, taken apart for the terminal and the manual pages. */

export type HelpBlock =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  /** Kept line by line, without the indentation that all lines share. */
  | { readonly kind: 'literal'; readonly lines: readonly string[] }
  | { readonly kind: 'definitions'; readonly entries: readonly (readonly [term: string, meaning: string])[] };

/**
 * | written as                                                            | is                          |
 * |-----------------------------------------------------------------------|-----------------------------|
 * | `# Words`                                                             | a heading                   |
 * | lines that begin with two spaces, a term, and two spaces or more      | definitions; deeper lines   |
 * |                                                                       | go on with the one above    |
 * | lines such as `- term: meaning` or `- term`                           | definitions                 |
 * | other lines of which one begins with a space or `- `                  | literal                     |
 * | anything else                                                         | a paragraph                 |
 *
 * Empty lines part blocks.
 */
export function readBlocks(text: string): HelpBlock[] {
  return text
    .replace(/^\n+/, '')
    .trimEnd()
    .split(/\n{2,}/)
    .map(readBlock);
}

function readBlock(text: string): HelpBlock {
  if (text.startsWith('# ')) return { kind: 'heading', text: text.slice(2) };
  if (!/^(?: |- )/m.test(text)) return { kind: 'paragraph', text: text.replaceAll(/\s+/g, ' ') };
  const lines = text.split('\n');
  const entries = readDefinitions(lines) ?? readList(lines);
  return entries === undefined
    ? { kind: 'literal', lines: outdent(lines) }
    : { kind: 'definitions', entries };
}

function readDefinitions(lines: readonly string[]): [string, string][] | undefined {
  const entries: [string, string][] = [];
  for (const line of lines) {
    const match = /^ {2}(\S+(?: \S+)*) {2,}(\S.*)$/.exec(line);
    const last = entries.at(-1);
    if (match !== null) entries.push([match[1]!, match[2]!]);
    else if (last !== undefined && /^ {4}/.test(line)) last[1] += ` ${line.trim()}`;
    else return undefined;
  }
  return entries;
}

function readList(lines: readonly string[]): [string, string][] | undefined {
  const matches = lines.map((line) => /^- (\S+)(?:: (.*))?$/.exec(line));
  return matches.includes(null) ? undefined : matches.map((match) => [match![1]!, match![2] ?? '']);
}

function outdent(lines: readonly string[]): string[] {
  const shared = Math.min(...lines.map((line) => /^ */.exec(line)![0].length));
  return lines.map((line) => line.slice(shared));
}
