import { CommandError, GeneralError } from '../errors.ts';
import type { CliContext } from './context.ts';

/** The text of a file, or of the standard input for `-`. */
export async function readInputFile(ctx: CliContext, path: string): Promise<string> {
  try {
    return Buffer.from(path === '-' ? await ctx.io.readInput() : await ctx.io.readFile(path)).toString(
      'utf8',
    );
  } catch (error) {
    const { describeOsError, isOsError } = await import('../platform/os-error.ts');
    if (isOsError(error, 'ENOENT')) throw new CommandError([`input file does not exist: ${path}`], error);
    if (isOsError(error)) throw new CommandError([describeOsError(error, path)], error);
    throw error;
  }
}

/** The bytes of a file. */
export async function readInputBytes(ctx: CliContext, path: string): Promise<Uint8Array> {
  try {
    return await ctx.io.readFile(path);
  } catch (error) {
    const { describeOsError, isOsError } = await import('../platform/os-error.ts');
    if (isOsError(error)) throw new GeneralError([describeOsError(error, path)], error);
    throw error;
  }
}
