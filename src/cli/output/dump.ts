/** Where debug commands write: files in the working directory, and the one that the user names. */
import { resolve } from 'node:path';
import { OutputFile } from '../../platform/output-file.ts';
import { writeInPlace } from '../../platform/state-files.ts';
import type { CliContext } from '../context.ts';

const NEW_FILE_MODE = 0o666;

/** Bytes as a file, whatever is there. */
export function writeFile(ctx: CliContext, path: string, data: Uint8Array): void {
  writeInPlace(resolve(ctx.cwd, path), data, NEW_FILE_MODE);
}

/** Bytes as a file in the working directory, with a line that says so. */
export function dumpFile(ctx: CliContext, name: string, data: Uint8Array): void {
  ctx.print(`Dumping ${name}\n`);
  writeFile(ctx, name, data);
}

/** Text as it comes, into a file, or to the standard output for `-`. */
export async function dumpText(
  ctx: CliContext,
  path: string,
  pieces: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  if (path === '-') {
    for await (const piece of pieces) {
      ctx.signal.throwIfAborted();
      ctx.print(piece);
    }
    return;
  }
  using file = new OutputFile(resolve(ctx.cwd, path));
  for await (const piece of pieces) {
    ctx.signal.throwIfAborted();
    file.write(piece);
  }
  file.close();
}
