/** Where the password of a server comes from: a file, the environment, the person at the terminal, or chance. */
import { CommandError } from '../errors.ts';
import { generatePassword } from '../mount/webdav/password.ts';
import { describeOsError, isOsError } from '../platform/os-error.ts';
import { toUtf8Lossy } from '../util/bytes.ts';
import type { CliContext } from './context.ts';

export const PASSWORD_VARIABLE = 'ALCOVE_WEBDAV_PASSWORD';

export interface PasswordArgs {
  readonly passwordFile: string | undefined;
  readonly askPassword: boolean;
  readonly generatePassword: boolean;
}

export interface ChosenPassword {
  readonly text: string;
  /** Nobody knows it yet. */
  readonly isNew: boolean;
}

/** Undefined where none is wanted. @throws CommandError for one that is empty, or can't be had */
export async function choosePassword(
  ctx: CliContext,
  args: PasswordArgs,
): Promise<ChosenPassword | undefined> {
  if (args.generatePassword) return { text: generatePassword(), isNew: true };
  const text = await givenPassword(ctx, args);
  if (text === undefined) return undefined;
  if (text === '') throw new CommandError(['the password of the server is empty']);
  return { text, isNew: false };
}

async function givenPassword(
  ctx: CliContext,
  { passwordFile, askPassword }: PasswordArgs,
): Promise<string | undefined> {
  if (passwordFile !== undefined) return await firstLineOf(ctx, passwordFile);
  if (!askPassword) return ctx.env[PASSWORD_VARIABLE];
  const typed = await ctx.readPassphrase('Password for the server: ');
  if (typed === undefined) throw new CommandError(['--ask-password needs a terminal']);
  return typed;
}

async function firstLineOf({ io }: CliContext, path: string): Promise<string> {
  try {
    return toUtf8Lossy(await io.readFile(path)).split(/\r?\n/, 1)[0]!;
  } catch (error) {
    if (!isOsError(error)) throw error;
    throw new CommandError([`--password-file: ${describeOsError(error, path)}`], error);
  }
}
