/** Colour for people at a terminal, and for nobody else. */
import type { Environment } from '../../util/context.ts';
import type { LogLevel } from '../../util/reporter.ts';
import type { Output } from '../io.ts';

const RED = 31;
const YELLOW = 33;

const colors: Readonly<Partial<Record<LogLevel, number>>> = { warning: YELLOW, error: RED, critical: RED };

/** Whether the output shows colours and the user wants them: see no-color.org. */
export function takesColor(output: Output, env: Environment): boolean {
  const { NO_COLOR, TERM } = env;
  return output.isTerminal && !NO_COLOR && TERM !== undefined && TERM !== '' && TERM !== 'dumb';
}

export function colored(text: string, level: LogLevel): string {
  const color = colors[level];
  return color === undefined ? text : `\x1b[${color}m${text}\x1b[0m`;
}
