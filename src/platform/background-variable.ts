import type { Environment } from '../util/context.ts';

/** In a process that goes on in the background: the descriptor that tells the one that started it that it is ready. */
export const READY_VARIABLE = 'ALCOVE_READY_FD';

/** Whether another process of this program has started this one, and says what is said before and after a command. */
export function isBackground(env: Environment): boolean {
  return env[READY_VARIABLE] !== undefined;
}
