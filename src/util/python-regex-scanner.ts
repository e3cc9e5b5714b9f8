/** Walks over the characters of a pattern, whole code points. */

export class PythonRegexError extends Error {
  override readonly name = 'PythonRegexError';
}

/** More characters than any fixed piece of syntax has. */
const LOOK_AHEAD = 40;

export class PatternScanner {
  readonly #input: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#input = Array.from(pattern);
  }

  get atEnd(): boolean {
    return this.#at >= this.#input.length;
  }

  error(message: string): PythonRegexError {
    return new PythonRegexError(`${message} at position ${this.#at}`);
  }

  peek(): string | undefined {
    return this.#input[this.#at];
  }

  /** The next character, which is passed. */
  next(): string | undefined {
    return this.#input[this.#at++];
  }

  skip(): void {
    this.#at += 1;
  }

  /** Passes this text if it comes next. */
  take(text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      if (this.#input[this.#at + index] !== text[index]) return false;
    }
    this.#at += text.length;
    return true;
  }

  /** Passes what this ASCII expression, anchored at its start, matches. */
  takeMatch(expression: RegExp): RegExpExecArray | undefined {
    const match = this.look(expression);
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }

  look(expression: RegExp): RegExpExecArray | undefined {
    return expression.exec(this.#input.slice(this.#at, this.#at + LOOK_AHEAD).join('')) ?? undefined;
  }

  /** The text before the next `end`, which is passed too. */
  until(end: string): string {
    const start = this.#at;
    while (this.peek() !== end) {
      if (this.atEnd) throw this.error(`missing ${end}`);
      this.#at += 1;
    }
    this.#at += 1;
    return this.#input.slice(start, this.#at - 1).join('');
  }
}
