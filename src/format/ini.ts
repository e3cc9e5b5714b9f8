/**
 * INI text as Python's ConfigParser(interpolation=None) reads and writes it: the repository's config and the
 * cache's. Order and unknown keys survive a round trip, comments don't.
 *
 *     [section]
 *     key = value
 *     other = first line
 *     <tab>second line
 *     <empty line>
 *
 * Keys are lower case. A line indented deeper than its key continues the value. Lines whose first character other
 * than white space is `#` or `;` are comments.
 * Source: Python 3 configparser, _read and _write_section.
 */

/** Sections, by name; each has its values by key. */
export type Ini = Map<string, Map<string, string>>;

/** The text is not INI; the message names the line. */
export class IniError extends Error {
  override readonly name = 'IniError';
}

export function encodeIni(ini: Ini): string {
  let text = '';
  for (const [section, values] of ini) {
    text += `[${section}]\n`;
    for (const [key, value] of values) text += `${key} = ${value.replaceAll('\n', '\n\t')}\n`;
    text += '\n';
  }
  return text;
}

export function decodeIni(text: string): Ini {
  const sections = new Map<string, Map<string, string[]>>();
  let section: Map<string, string[]> | undefined;
  let value: string[] | undefined;
  let keyIndent = 0;
  const lines = text.split(/\r\n|\r|\n/);
  // Text ends with a line break: what follows the last one is no line.
  if (lines.at(-1) === '') lines.pop();
  for (const [number, line] of lines.entries()) {
    const content = line.trim();
    if (content.startsWith('#') || content.startsWith(';')) continue;
    if (content === '') {
      value?.push('');
      continue;
    }
    const indent = line.length - line.trimStart().length;
    if (value !== undefined && indent > keyIndent) {
      value.push(content);
      continue;
    }
    keyIndent = indent;
    const header = /^\[(?<name>.+)\]/.exec(content)?.groups?.['name'];
    if (header !== undefined) {
      if (sections.has(header)) throw new IniError(`line ${number + 1}: section ${header} already exists`);
      section = new Map();
      sections.set(header, section);
      value = undefined;
      continue;
    }
    if (section === undefined) throw new IniError(`line ${number + 1}: there is no section header above it`);
    const pair = /^(?<key>[^=:]*)[=:](?<value>.*)$/.exec(content)?.groups;
    const key = pair?.['key']?.trim().toLowerCase();
    if (pair === undefined || key === undefined || key === '') {
      throw new IniError(`line ${number + 1}: neither a section nor key = value`);
    }
    if (section.has(key)) throw new IniError(`line ${number + 1}: key ${key} already exists`);
    value = [pair['value']!.trim()];
    section.set(key, value);
  }
  return new Map(
    [...sections].map(([name, values]) => [
      name,
      new Map([...values].map(([key, parts]) => [key, parts.join('\n').trimEnd()])),
    ]),
  );
}
