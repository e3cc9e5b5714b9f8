/** Arguments of the process as bytes: Node gives them as text, where bytes that are not UTF-8 are lost. */
import { decodeSurrogateEscaped } from '../util/surrogate-escape.ts';

const REPLACEMENT = '\ufffd';

/** Whether Node had to replace bytes in any of them. */
export function isDamaged(argv: readonly string[]): boolean {
  return argv.some((argument) => argument.includes(REPLACEMENT));
}

/** The last `count` arguments of a command line as the kernel shows it: parted by zero bytes. */
export function lastArguments(commandLine: Uint8Array, count: number): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let end = commandLine.indexOf(0); end >= 0; end = commandLine.indexOf(0, start)) {
    parts.push(decodeSurrogateEscaped(commandLine.subarray(start, end)));
    start = end + 1;
  }
  return count === 0 ? [] : parts.slice(-count);
}
