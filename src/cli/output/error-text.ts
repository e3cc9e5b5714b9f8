/** What the user reads when a command fails: what happened, to what, and what to do next. */
import { inspect } from 'node:util';
import { BorgError } from '../../errors.ts';
import { MetadataError } from '../../format/metadata-fields.ts';
import { MsgpackError } from '../../msgpack/value.ts';
import { SignalReceived } from '../io.ts';

export interface ErrorText {
  readonly message: string;
  readonly msgid: string;
  readonly hint: string | undefined;
  /** The fault is the program's own, not the user's or the system's. */
  readonly internal: boolean;
}

const osHints: Readonly<Record<string, string>> = {
  ENOSPC:
    'The file system is full: make room, then run the command again. "compact" frees space in a repository.',
  EDQUOT: 'The disk quota is used up: make room, then run the command again.',
  EROFS: 'The file system is mounted read-only.',
  EACCES: 'Check the owner and the permissions, or run as another user.',
  EPERM: 'The system does not permit this to the user that runs the command.',
  EMFILE: 'Too many files are open: raise the limit ("ulimit -n").',
  ENFILE: 'The whole system has too many files open.',
  EIO: 'The device reports errors: look at the system log and check the disk.',
  ENOMEM: 'There is too little memory.',
};

const SYSTEM_FAULT_MSGID = 'Exception';

export async function describeError(error: unknown): Promise<ErrorText> {
  if (error instanceof SignalReceived) return describeSignal(error);
  if (error instanceof BorgError) {
    return { message: error.message, msgid: error.msgid, hint: error.hint, internal: false };
  }
  const { describeOsError, isOsError } = await import('../../platform/os-error.ts');
  if (isOsError(error)) {
    const message = `Error: ${describeOsError(error)}`;
    return { message, msgid: SYSTEM_FAULT_MSGID, hint: osHints[error.code ?? ''], internal: false };
  }
  if (error instanceof MsgpackError || error instanceof MetadataError) {
    const hint = 'The repository is damaged. "check" tells what can be saved.';
    return {
      message: `Data integrity error: ${error.message}`,
      msgid: 'IntegrityError',
      hint,
      internal: false,
    };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    message: `Internal error: ${text}`,
    msgid: SYSTEM_FAULT_MSGID,
    hint: 'This is a fault in alcove. Please report it, with what follows.',
    internal: true,
  };
}

function describeSignal(error: SignalReceived): ErrorText {
  const hint = undefined;
  switch (error.signalName) {
    case 'SIGINT':
      return { message: 'Keyboard interrupt', msgid: 'Signal.SIGINT', hint, internal: false };
    case 'SIGTERM':
      return { message: 'Received SIGTERM', msgid: 'Signal.SIGTERM', hint, internal: false };
    case 'SIGHUP':
      return { message: 'Received SIGHUP.', msgid: 'Signal.SIGHUP', hint, internal: false };
  }
}

/** The stack of the error and of what caused it. */
export function stackText(error: unknown): string {
  const parts: string[] = [];
  for (
    let at = error;
    at !== undefined && parts.length < 10;
    at = at instanceof Error ? at.cause : undefined
  ) {
    parts.push(at instanceof Error ? (at.stack ?? at.message) : inspect(at));
  }
  return parts.join('\ncaused by: ');
}
