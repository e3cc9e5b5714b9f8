/** The ids that debug commands take. Borg looks at them only when the repository is open; so do we. */
import { parseObjectId } from '../../archive/debug/object-id.ts';
import { CommandError } from '../../errors.ts';
import type { PositionalSpec } from './option.ts';

/** Throws a CommandError. */
export function requireObjectId(text: string): Uint8Array {
  try {
    return parseObjectId(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CommandError([`object id ${text} is invalid [${error.message}].`], error);
  }
}

/** Undefined where it is none. */
export function objectIdOf(text: string): Uint8Array | undefined {
  try {
    return parseObjectId(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

export interface ObjectIdsArgs {
  readonly firstId: string;
  readonly otherIds: readonly string[];
}

/** One id or more. */
export function objectIdsOf(help: string): PositionalSpec[] {
  return [
    { metavar: 'IDs', dest: 'firstId', arity: 'one', help },
    { metavar: 'IDs', dest: 'otherIds', arity: 'many', help: '' },
  ];
}
