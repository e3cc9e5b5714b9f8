/**
 * Damage makes a check say one line for each object: thousands of them, which push away what else it says. At a terminal
 * the first few of such a series stand for the rest. Logs, and whoever asks for more (-v), get all of them.
 */

const SHOWN_LINES = 10;

interface Series {
  readonly pattern: RegExp;
  readonly noun: string;
}

/** As Borg says them; a server's lines come with a prefix. */
const SERIES: readonly Series[] = [
  {
    pattern: /^(?:Remote: )?ID: [0-9a-f]{64} +rebuilt index: /,
    noun: 'objects whose places differ, or that are lost',
  },
  { pattern: /: New missing file chunk detected \(Byte /, noun: 'missing chunks of files' },
];

export class LineFold {
  #series: Series | undefined;
  #count = 0;

  /** Whether the line is left out. `tell` gets the line that stands for those left out before, if it ends their series. */
  takes(line: string, tell: (text: string) => void): boolean {
    const series = SERIES.find(({ pattern }) => pattern.test(line));
    if (series !== this.#series) this.end(tell);
    if (series === undefined) return false;
    this.#series = series;
    this.#count += 1;
    return this.#count > SHOWN_LINES;
  }

  /** Something else is said. */
  end(tell: (text: string) => void): void {
    const left = this.#count - SHOWN_LINES;
    const noun = this.#series?.noun;
    this.#series = undefined;
    this.#count = 0;
    if (left > 0) tell(`… and ${left} more ${noun} (-v lists them all)`);
  }
}
