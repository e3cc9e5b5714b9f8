/**
 * Splits a command line into words as a POSIX shell does, but expands nothing.
 *
 * Source: Python's shlex.split(), by which Borg splits BORG_PASSCOMMAND, BORG_RSH and filter commands.
 */

/** The text ends within quotes, or after a backslash. */
export class ShellSyntaxError extends Error {
  override readonly name = 'ShellSyntaxError';
}

export function splitShellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let index = 0;
  while (index < text.length) {
    const char = text[index]!;
    if (' \t\r\n'.includes(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      index++;
      continue;
    }
    word ??= '';
    if (char === '\\') {
      if (index + 1 === text.length) throw new ShellSyntaxError('No escaped character');
      const escaped = String.fromCodePoint(text.codePointAt(index + 1)!);
      word += escaped;
      index += 1 + escaped.length;
    } else if (char === "'" || char === '"') {
      const end = closingQuote(text, index);
      const quoted = text.slice(index + 1, end);
      // Within double quotes a backslash escapes only a double quote and itself.
      word += char === '"' ? quoted.replaceAll(/\\(["\\])/g, '$1') : quoted;
      index = end + 1;
    } else {
      word += char;
      index++;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function closingQuote(text: string, start: number): number {
  const quote = text[start]!;
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === quote) return index;
    if (quote === '"' && text[index] === '\\') {
      index++;
      if (index === text.length) throw new ShellSyntaxError('No escaped character');
    }
  }
  throw new ShellSyntaxError('No closing quotation');
}
