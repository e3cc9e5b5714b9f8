/**
 * The user's terminal. Secrets are read from it even where standard input is a pipe.
 *
 * Source: Python's getpass.getpass(), by which Borg asks for passphrases.
 */
import { openSync, read, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import { sleep } from './clock.ts';
import { isOsError } from './os-error.ts';
import { onSignals, raiseSignal } from './signals.ts';

/** The user, or a signal, ended a question. */
export class PromptInterrupted extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('interrupted');
  }
}

const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const KEY = { interrupt: 3, end: 4, backspace: 8, newline: 10, enter: 13, clear: 21, delete: 127 } as const;
/** What was typed or pasted beyond the line asked for. */
let typedAhead: number[] = [];

/**
 * Reads a line from the terminal without showing it. Without a terminal, reads it from standard input, as Borg does;
 * undefined where that has ended. Throws PromptInterrupted after Ctrl-C (which also raises SIGINT) or a signal, with
 * the terminal as it was.
 */
export async function readSecret(prompt: string): Promise<string | undefined> {
  let fd: number;
  try {
    fd = openSync('/dev/tty', 'r+');
  } catch (error) {
    if (!isOsError(error)) throw error;
    writeSync(2, prompt);
    return readLine();
  }
  const terminal = new ReadStream(fd);
  try {
    // Echo is off before the prompt shows.
    terminal.setRawMode(true);
    writeSync(fd, prompt);
    return await readHidden(terminal);
  } finally {
    terminal.setRawMode(false);
    writeSync(fd, '\n');
    terminal.destroy();
  }
}

function readHidden(terminal: ReadStream): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const line: number[] = [];
  const take = (bytes: readonly number[]) => {
    for (const [index, byte] of bytes.entries()) {
      if (byte === KEY.enter || byte === KEY.newline) {
        typedAhead = bytes.slice(index + 1);
        return resolve(Buffer.from(line).toString('utf8'));
      }
      // All who listen hear of it, we too: so nobody takes it for an answer to the next question.
      if (byte === KEY.interrupt) return raiseSignal('SIGINT');
      if (byte === KEY.end && line.length === 0) return resolve(undefined);
      if (byte === KEY.backspace || byte === KEY.delete) dropLastChar(line);
      else if (byte === KEY.clear) line.length = 0;
      else if (byte >= 32) line.push(byte);
    }
  };
  const guard = onSignals(ENDING_SIGNALS, () => reject(new PromptInterrupted()));
  terminal.on('data', (data: Uint8Array) => take([...data]));
  terminal.once('end', () => resolve(undefined));
  terminal.once('error', reject);
  const ahead = typedAhead;
  typedAhead = [];
  take(ahead);
  return promise.finally(() => {
    terminal.removeAllListeners('data');
    guard[Symbol.dispose]();
  });
}

/** Drops a whole UTF-8 char. */
function dropLastChar(line: number[]): void {
  while (line.length > 0 && (line.pop()! & 0xc0) === 0x80);
}

const readAsync = promisify(read);

/** Reads a line from standard input, and nothing beyond it; undefined at its end. */
export async function readLine(): Promise<string | undefined> {
  const interrupted = Promise.withResolvers<never>();
  interrupted.promise.catch(() => {});
  using _guard = onSignals(ENDING_SIGNALS, () => interrupted.reject(new PromptInterrupted()));
  return await Promise.race([readLineFrom(0), interrupted.promise]);
}

async function readLineFrom(fd: number): Promise<string | undefined> {
  const line: number[] = [];
  const byte = new Uint8Array(1);
  for (;;) {
    let count: number;
    try {
      ({ bytesRead: count } = await readAsync(fd, byte, 0, 1, null));
    } catch (error) {
      if (isOsError(error, 'EOF')) count = 0;
      else if (isOsError(error, 'EAGAIN')) {
        await sleep(10);
        continue;
      } else throw error;
    }
    if (count === 0 && line.length === 0) return undefined;
    if (count === 0 || byte[0] === KEY.newline) break;
    line.push(byte[0]!);
  }
  return Buffer.from(line).toString('utf8').replace(/\r$/, '');
}
