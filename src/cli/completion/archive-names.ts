/** Names of archives for the completion of command lines. */
import { selectArchives } from '../../archive/archive-selection.ts';
import { openSession } from '../../archive/session.ts';
import { Location } from '../../format/location.ts';
import { sleep } from '../../platform/clock.ts';
import type { Context, Environment } from '../../util/context.ts';
import { SilentReporter } from '../../util/reporter.ts';

/** A shell that waits is worse than one that does not know. */
const PATIENCE_MS = 2000;

/**
 * The archives of a repository of this machine, newest first; none where it takes too long, or where somebody would
 * have to be asked: only a passphrase that stands in the environment is used, not one that a command would give.
 * Takes no lock, and remembers nothing.
 */
export async function archiveNamesOf(ctx: Context, repository: string): Promise<string[]> {
  const listed = listArchives(quietContext(ctx), repository).catch(() => []);
  return Promise.race([listed, sleep(PATIENCE_MS).then(() => [])]);
}

async function listArchives(ctx: Context, repository: string): Promise<string[]> {
  const text = expand(repository === '' ? (ctx.env['BORG_REPO'] ?? '') : repository, ctx.env);
  const location = Location.parse({ raw: text, processed: text });
  await using session = await openSession(ctx, location, {
    operations: ['read'],
    lock: false,
    secure: false,
  });
  const archives = selectArchives(session.manifest.archives, { sortBy: ['ts'] });
  return Array.from(archives, ({ name }) => name).toReversed();
}

function quietContext(ctx: Context): Context {
  const { BORG_PASSCOMMAND: _command, BORG_PASSPHRASE_FD: _fd, ...env } = ctx.env;
  return {
    ...ctx,
    env,
    signal: AbortSignal.timeout(PATIENCE_MS),
    reporter: new SilentReporter(),
    readPassphrase: () => Promise.resolve(undefined),
  };
}

/** What the shell has not done yet: the home, and variables. */
function expand(text: string, env: Environment): string {
  return text
    .replace(/^~(?=\/|$)/, () => env['HOME'] ?? '~')
    .replaceAll(/\$(?:(\w+)|\{(\w+)\})/g, (whole, name?: string, braced?: string) => {
      return env[name ?? braced ?? ''] ?? whole;
    });
}
