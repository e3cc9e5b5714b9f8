/** The few parts of roff and of man(7) that the manual pages need. */

/** Text that comes out as it is, also `-` and quotes, which roff would make typographic. */
export function escapeRoff(text: string): string {
  const special: Readonly<Record<string, string>> = {
    '\\': '\\e',
    '-': '\\-',
    "'": '\\(aq',
    '`': '\\(ga',
    '^': '\\(ha',
    '~': '\\(ti',
    '"': '\\(dq',
  };
  return text
    .replaceAll(/[\\\-'`^~"]/g, (char) => special[char]!)
    .replaceAll(/[\u0080-\u{10ffff}]/gu, (char) => {
      return `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`;
    });
}

export function bold(text: string): string {
  return `\\fB${escapeRoff(text)}\\fR`;
}

export function macro(name: string, ...args: readonly string[]): string {
  return [`.${name}`, ...args.map((arg) => (/^[\w-]*$/.test(arg) ? arg : `"${escapeRoff(arg)}"`))].join(' ');
}

/** A line for each sentence, or more. */
export function textLines(text: string): string[] {
  return text.split(/(?<=\.) +(?=[A-Z"(-])(?<!e\.g\. +)/).flatMap(breakLine);
}

const MAX_LINE_BYTES = 78;

function breakLine(sentence: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of escapeRoff(sentence).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > MAX_LINE_BYTES) {
      lines.push(guard(line));
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, guard(line)];
}

/** Lines that are not filled, set off from the text. */
export function literalLines(lines: readonly string[]): string[] {
  return ['.PP', '.RS 2', '.EX', ...lines.map((line) => guard(escapeRoff(line))), '.EE', '.RE'];
}

/** A dot at the start of a line would be a command, one at its end the end of a sentence. */
function guard(line: string): string {
  const guarded = /^[.']/.test(line) ? `\\&${line}` : line;
  return guarded.endsWith('e.g.') ? `${guarded}\\&` : guarded;
}
