/**
 * Where passphrases come from: the environment, a command, a descriptor, or the person at the terminal.
 *
 * Source: Borg 1.4.5, crypto/key.py, Passphrase.
 */
import { NoPassphraseFailure, PasscommandFailure, PasswordRetriesExceeded } from '../errors.ts';
import { describeOsError } from '../platform/os-error.ts';
import { readAndClose } from '../platform/state-files.ts';
import { fromUtf8, toHex } from '../util/bytes.ts';
import type { Context } from '../util/context.ts';
import { ShellSyntaxError, splitShellWords } from '../util/shell-words.ts';

const NEW_PASSPHRASE_ATTEMPTS = 10;

/** BORG_PASSPHRASE, else what BORG_PASSCOMMAND prints, else what BORG_PASSPHRASE_FD leads to, else undefined. */
export async function environmentPassphrase(ctx: Context): Promise<string | undefined> {
  return ctx.env.BORG_PASSPHRASE ?? (await commandPassphrase(ctx)) ?? descriptorPassphrase(ctx);
}

/** Asks at the terminal. Throws NoPassphraseFailure where there is none. */
export async function askPassphrase(ctx: Context, prompt: string): Promise<string> {
  const passphrase = await ctx.readPassphrase(prompt);
  if (passphrase !== undefined) return passphrase;
  const state = ['BORG_PASSPHRASE', 'BORG_PASSCOMMAND'].map((name) => {
    return `${name} is ${ctx.env[name] === undefined ? 'not set' : 'set'}.`;
  });
  throw new NoPassphraseFailure([[...state, 'Interactive password query failed.'].join(' ')]);
}

/**
 * BORG_NEW_PASSPHRASE, else as `environmentPassphrase`, else typed twice. May be empty. Whoever typed it is asked whether
 * to show it, unless `offerDisplay` is false.
 */
export async function newPassphrase(ctx: Context, offerDisplay = true): Promise<string> {
  const given = ctx.env.BORG_NEW_PASSPHRASE ?? (await environmentPassphrase(ctx));
  if (given !== undefined) return given;
  for (let attempt = 0; attempt < NEW_PASSPHRASE_ATTEMPTS; attempt++) {
    const passphrase = await askPassphrase(ctx, 'Enter new passphrase: ');
    if (passphrase === (await askPassphrase(ctx, 'Enter same passphrase again: '))) {
      if (passphrase === '') tell(ctx, 'The passphrase is empty: whoever has the key can read everything.');
      if (offerDisplay || ctx.env.BORG_DISPLAY_PASSPHRASE !== undefined) await display(ctx, passphrase);
      ctx.reporter.log('info', 'Remember your passphrase. Your data will be inaccessible without it.', {
        logger: 'borg.crypto.key',
      });
      return passphrase;
    }
    const mismatch = 'Passphrases do not match';
    if (ctx.reporter.tell === undefined) ctx.reporter.log('warning', mismatch);
    else ctx.reporter.tell(mismatch);
  }
  throw new PasswordRetriesExceeded();
}

/** Messages name the program only: its arguments may hold secrets. */
async function commandPassphrase(ctx: Context): Promise<string | undefined> {
  const command = ctx.env.BORG_PASSCOMMAND;
  if (command === undefined) return undefined;
  let program: string | undefined;
  let result: { output: Uint8Array; exitCode: number };
  try {
    const argv = splitShellWords(command);
    program = argv[0];
    if (program === undefined) throw new ShellSyntaxError('No command');
    // Here only: what starts processes is much to load.
    const { captureOutput } = await import('../platform/process.ts');
    result = await captureOutput(argv, ctx.env);
  } catch (error) {
    const reason = error instanceof ShellSyntaxError ? error.message : describeOsError(error, program);
    throw new PasscommandFailure([reason], error);
  }
  const { output, exitCode } = result;
  if (exitCode !== 0) {
    const end =
      exitCode > 0 ? `returned non-zero exit status ${exitCode}` : `was ended by signal ${-exitCode}`;
    throw new PasscommandFailure([`Command '${program}' ${end}.`]);
  }
  return firstLines(Buffer.from(output).toString('utf8'));
}

function descriptorPassphrase(ctx: Context): string | undefined {
  const text = ctx.env.BORG_PASSPHRASE_FD;
  if (text === undefined || !/^\s*\+?\d+\s*$/.test(text)) return undefined;
  try {
    return firstLines(Buffer.from(readAndClose(Number(text))).toString('utf8'));
  } catch (error) {
    throw new NoPassphraseFailure(
      [`BORG_PASSPHRASE_FD is set to ${Number(text)}, which can't be read (or was read already).`],
      error,
    );
  }
}

/** Without the newlines at the end. */
function firstLines(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replace(/\n+$/, '');
}

/** Asks, and shows it where nothing records it: never in a log. */
async function display(ctx: Context, passphrase: string): Promise<void> {
  const text = 'Do you want your passphrase to be displayed for verification? [yN]: ';
  const wanted = await ctx.reporter.ask({
    text,
    env: 'BORG_DISPLAY_PASSPHRASE',
    retryText: text,
    invalidText: 'Invalid answer, try again.',
    retry: true,
  });
  if (!wanted) return;
  show(ctx, `Your passphrase (between double-quotes): "${passphrase}"`);
  show(ctx, 'Make sure the passphrase displayed above is exactly what you wanted.');
  if (/^\p{ASCII}*$/u.test(passphrase)) return;
  show(ctx, `Your passphrase (UTF-8 encoding in hex): ${toHex(fromUtf8(passphrase))}`);
  show(
    ctx,
    'As you have a non-ASCII passphrase, it is recommended to keep the UTF-8 encoding in hex together with the ' +
      'passphrase at a safe place.',
  );
}

function show(ctx: Context, text: string): void {
  ctx.reporter.show?.(text);
}

function tell(ctx: Context, text: string): void {
  ctx.reporter.tell?.(text);
}
