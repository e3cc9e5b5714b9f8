/** The command line makes no sense: shown as usage and one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** The command whose parser refused, e.g. `key export`; empty for the program's own. */
  readonly command: string;
  /** What to do about it, below the message. */
  readonly hint: string | undefined;

  constructor(command: string, message: string, hint?: string) {
    super(message);
    this.command = command;
    this.hint = hint;
  }
}
