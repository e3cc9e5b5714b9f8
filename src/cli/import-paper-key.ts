/** Asks for the lines of a printed key, one after the other. Source: Borg 1.4.5 crypto/keymanager.py, import_paperkey. */
import { RepoIdMismatch } from '../errors.ts';
import { importKeyBlob, storedKeyType } from '../keys/key-backup.ts';
import {
  decodePaperIdLine,
  decodePaperLine,
  isPaperIdOf,
  lineLabel,
  paperChecksum,
  PaperKeyError,
  type PaperIdLine,
} from '../keys/paper-key.ts';
import type { Repository } from '../repository/repository.ts';
import { concatBytes } from '../util/bytes.ts';
import type { CliContext } from './context.ts';

/** No more input, or the user wants to stop. */
const ABORTED = Symbol('aborted');

/** Throws RepoIdMismatch, KeyfileInvalidError, UnencryptedRepo, NoManifestError. */
export async function importPaperKey(ctx: CliContext, repository: Repository): Promise<void> {
  await storedKeyType(repository);
  const blob = await readBlob(ctx, repository);
  if (blob === ABORTED) ctx.print('\n - aborted\n');
  else await importKeyBlob(ctx, repository, blob);
}

async function readBlob(ctx: CliContext, repository: Repository): Promise<Uint8Array | typeof ABORTED> {
  for (;;) {
    const idLine: PaperIdLine | typeof ABORTED = await ask(ctx, 'id: ', decodePaperIdLine);
    if (idLine === ABORTED) return ABORTED;
    if (!isPaperIdOf(repository.idHex, idLine.id)) throw new RepoIdMismatch();
    const parts: Uint8Array[] = [];
    for (let number = 1; number <= idLine.lines; number++) {
      const part = await ask(ctx, lineLabel(number), (text) => decodePaperLine(text, number));
      if (part === ABORTED) return ABORTED;
      parts.push(part);
    }
    const blob = concatBytes(parts);
    if (paperChecksum(blob) === idLine.checksum) return blob;
    ctx.print('The overall checksum did not match, retry or enter a blank line to abort.\n');
  }
}

/** Asks until the line is right. */
async function ask<T>(
  ctx: CliContext,
  prompt: string,
  decode: (text: string) => T,
): Promise<T | typeof ABORTED> {
  for (;;) {
    ctx.signal.throwIfAborted();
    ctx.print(prompt);
    const line = await ctx.io.readLine();
    if (line === undefined) return ABORTED;
    if (line.replaceAll(' ', '') === '' && (await wantsToAbort(ctx))) return ABORTED;
    try {
      return decode(line);
    } catch (error) {
      if (!(error instanceof PaperKeyError)) throw error;
      ctx.print(`${error.message}\n`);
    }
  }
}

function wantsToAbort({ reporter }: CliContext): Promise<boolean> {
  return reporter.ask({ text: 'Abort import? [yN]:', env: '', retry: true });
}
