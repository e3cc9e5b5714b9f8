import type { Operation } from '../archive/manifest.ts';
import { openSession, type Session } from '../archive/session.ts';
import type { CompressionSpec } from '../compress/compression-spec.ts';
import type { CliContext } from './context.ts';
import type { CommonArgs } from './options/common.ts';
import type { LocationArgs } from './options/positionals.ts';
import { openerFor } from './remote-options.ts';

export interface SessionNeeds {
  /** What will be done, for repositories that demand features. */
  readonly operations: readonly Operation[];
  /** Check that it is the repository that it was. Default true; a command that opens the cache leaves it to that. */
  readonly secure?: boolean;
  /** To write to it. */
  readonly exclusive?: boolean;
  readonly compression?: CompressionSpec | undefined;
  /** Takes a manifest that is not authenticated. */
  readonly forceTamNotRequired?: boolean;
}

/** The repository of the command line with its key and manifest, as most commands need it. */
export function openSessionAt(
  ctx: CliContext,
  args: CommonArgs & LocationArgs,
  needs: SessionNeeds,
): Promise<Session> {
  const { location, lock, lockWait: lockWaitSeconds } = args;
  return openSession(ctx, location, { ...needs, lock, lockWaitSeconds, open: openerFor(ctx, args) });
}
