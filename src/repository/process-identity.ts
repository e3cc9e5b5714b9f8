/** Who this process is in locks, and whether others still run. */
import { processAlive, processIdentity as identityOf } from '../platform/host-id.ts';
import type { Context } from '../util/context.ts';
import type { LockIdentity } from './exclusive-lock.ts';

export function processIdentity({ env }: Pick<Context, 'env'>): LockIdentity {
  return { owner: identityOf(env), isAlive: (owner) => processAlive(owner, env) };
}
