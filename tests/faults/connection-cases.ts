/** The cases of the connection campaign: who talks to whom, what they do, and what goes wrong when. */
import type { Random } from '../random.ts';

export type Program = 'alcove' | 'borg';

/** A client and a server. */
export type Pair = readonly [client: Program, server: Program];

export const FAULTS = ['half', 'cut', 'stall', 'kill-server', 'kill-client'] as const;

export const COMMANDS = [
  'init',
  'create',
  'extract',
  'delete',
  'prune',
  'compact',
  'check',
  'repair',
] as const;

export type Command = (typeof COMMANDS)[number];

export interface ConnectionCase {
  readonly pair: Pair;
  readonly command: Command;
  readonly fault: (typeof FAULTS)[number];
  /** Whose bytes are counted: "up" are the client's. */
  readonly direction: 'up' | 'down';
  readonly afterBytes: number;
  readonly delayMs: number;
}

/** What goes over the line, roughly. A case whose point lies behind the end is one of a line that holds. */
const TYPICAL_BYTES: Readonly<Record<Command, Readonly<Record<ConnectionCase['direction'], number>>>> = {
  init: { up: 1385, down: 108 },
  create: { up: 603_150, down: 1700 },
  extract: { up: 1470, down: 1_444_540 },
  delete: { up: 1290, down: 3450 },
  prune: { up: 1290, down: 3450 },
  compact: { up: 940, down: 690 },
  check: { up: 700, down: 6800 },
  repair: { up: 1500, down: 6750 },
};

export function drawCase(pair: Pair, random: Random): ConnectionCase {
  const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)]!;
  // Most of what can be lost is on its way in a backup.
  const command = random.next() < 0.2 ? 'create' : pick(COMMANDS);
  const direction = pick(['up', 'down'] as const);
  const fault = pick(FAULTS);
  return {
    pair,
    command,
    fault,
    direction,
    afterBytes: drawPoint(TYPICAL_BYTES[command][direction], random),
    delayMs: fault === 'stall' ? 200 + random.integer(400) : random.next() < 0.5 ? 0 : random.integer(80),
  };
}

/** Anywhere, or near the greeting, or near the commit at the end. */
function drawPoint(totalBytes: number, random: Random): number {
  const near = Math.floor(Math.exp(random.next() * Math.log(totalBytes)));
  const draw = random.next();
  if (draw < 0.4) return 1 + random.integer(totalBytes);
  return draw < 0.7 ? near : Math.max(1, totalBytes - near);
}

export function caseId({ pair, command, fault, direction, afterBytes, delayMs }: ConnectionCase): string {
  return `${pair.join('-')}/${command}/${fault}/${direction}/${afterBytes}/${delayMs}`;
}

/** Throws an Error where the id is none. */
export function parseCaseId(id: string): ConnectionCase {
  const [pair = '', command, fault, direction, afterBytes, delayMs] = id.split('/');
  const found = {
    pair: pair.split('-') as unknown as Pair,
    command: COMMANDS.find((each) => each === command)!,
    fault: FAULTS.find((each) => each === fault)!,
    direction: direction === 'down' ? ('down' as const) : ('up' as const),
    afterBytes: Number(afterBytes),
    delayMs: Number(delayMs),
  };
  if (caseId(found) !== id) throw new Error(`not a case of this campaign: ${id}`);
  return found;
}
