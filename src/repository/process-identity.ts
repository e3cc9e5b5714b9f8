/** Who this process is in locks, and whether others still run. */
import { hostname } from 'node:os';
import { processId } from '../platform/system.ts';
import type { Context } from '../util/context.ts';
import type { LockIdentity } from './exclusive-lock.ts';

export function processIdentity(context: Context): LockIdentity {
  const owner = { host: context.env['BORG_HOST_ID'] ?? hostname(), pid: processId(), thread: 0 };
  return { owner, isAlive: () => true };
}
