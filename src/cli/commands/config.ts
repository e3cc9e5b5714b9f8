import { CacheSettings } from '../../archive/cache/cache-settings.ts';
import { openSession } from '../../archive/session.ts';
import { CommandError, GeneralError, ObjectNotFound } from '../../errors.ts';
import { iniValue } from '../../format/ini-values.ts';
import { identifyKeyType } from '../../keys/key-type.ts';
import { openRepository } from '../../repository/open-repository.ts';
import { changeSetting, deleteSetting, listSettings } from '../../repository/repository-settings.ts';
import { MANIFEST_ID, type Repository } from '../../repository/repository.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openerFor } from '../remote-options.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface ConfigArgs extends CommonArgs, LocationArgs {
  readonly cache: boolean;
  readonly delete: boolean;
  readonly list: boolean;
  readonly name: string | undefined;
  readonly value: string | undefined;
}

export const config = defineCommand<ConfigArgs>({
  name: 'config',
  description: `
Shows, sets and deletes values in the config of a repository, or, with --cache, of its cache on this machine. It works on
repositories of this machine only: who may reach a repository by ssh alone must not change, e.g., its quota.

NAME may have its section in front, as in "repository.append_only". With a VALUE it is set, otherwise shown.

The values of a repository:

 append_only            1: nothing that is in it is ever removed
 storage_quota          its largest size, e.g. 50G; 0 for none
 additional_free_space  what has to stay free on the disk, e.g. 2G; 0 for none
 max_segment_size       size from which on a file of it gets no more
 segments_per_dir       how many files are in a folder
 last_segment_checked   where a check that was given a limited time goes on
 id                     what caches and keys know it by

Of the cache, previous_location can be changed.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { optional: true, archive: 'none', local: true }),
    { metavar: 'NAME', dest: 'name', arity: 'optional', help: 'the name of a value' },
    { metavar: 'VALUE', dest: 'value', arity: 'optional', help: 'what it is to be' },
  ],
  options: [
    optionGroup(
      'Options',
      flag(['-c', '--cache'], 'cache', 'the config of the cache'),
      { ...flag(['-d', '--delete'], 'delete', 'delete the value'), excludes: 'action' },
      {
        ...flag(['-l', '--list'], 'list', 'show all values, also those that hold by default'),
        excludes: 'action',
      },
    ),
  ],
  examples: [
    { command: 'alcove config --list /path/to/repo', text: 'all values' },
    { command: 'alcove config /path/to/repo append_only 1', text: 'from now on nothing is removed' },
    {
      command: 'alcove config /path/to/repo additional_free_space 2G',
      text: 'keep the disk from filling up',
    },
  ],
  mayBypassLock: true,

  async run(ctx, args) {
    if (!args.list && args.name === undefined) throw new CommandError(['No config key name was provided.']);
    await (args.cache ? runOnCache(ctx, args) : runOnRepository(ctx, args));
  },
});

async function runOnRepository(ctx: CliContext, args: ConfigArgs): Promise<void> {
  const { path } = args.location.absolute(ctx.cwd);
  const { lock, lockWait: lockWaitSeconds } = args;
  await using repository = await openRepository(ctx, path, { exclusive: true, lock, lockWaitSeconds });
  const { reporter } = ctx;
  if (args.list) {
    printSettings(ctx, 'repository', listSettings(repository.config));
    return;
  }
  const [section, name] = nameOf(args);
  if (args.delete) deleteSetting(repository, reporter, section, name);
  else if (args.value) {
    if (name === 'id' && isOtherId(args.value, repository.idHex)) await assertIdMayChange(repository);
    changeSetting(repository, reporter, section, name, args.value);
  } else ctx.print(`${iniValue(repository.config.ini, section, name)}\n`);
}

async function runOnCache(ctx: CliContext, args: ConfigArgs): Promise<void> {
  await using session = await openSession(ctx, args.location, {
    operations: ['write'],
    exclusive: true,
    secure: false,
    open: openerFor(ctx, args),
    lock: args.lock,
    lockWaitSeconds: args.lockWait,
  });
  // Keeps it locked, and makes it where there is none.
  await using _cache = await session.openCache();
  const settings = new CacheSettings(ctx, session.repository.idHex);
  if (args.list) {
    printSettings(ctx, 'cache', settings.list());
    return;
  }
  const [section, name] = nameOf(args);
  if (args.delete) settings.delete(section, name);
  else if (args.value) settings.set(section, name, args.value);
  else ctx.print(`${settings.get(section, name)}\n`);
}

function nameOf({ name, cache }: ConfigArgs): [section: string, name: string] {
  const parts = name!.split('.');
  return parts.length === 2 ? [parts[0]!, parts[1]!] : [cache ? 'cache' : 'repository', name!];
}

function printSettings(ctx: CliContext, section: string, settings: readonly [string, string][]): void {
  const lines = settings.map(([name, value]) => `${name} = ${value}\n`);
  ctx.print(`[${section}]\n${lines.join('')}`);
}

function isOtherId(text: string, idHex: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text) && text.toLowerCase() !== idHex;
}

/** Its keys know a repository by its id, and so do the records of the nonces that were used. */
async function assertIdMayChange(repository: Repository): Promise<void> {
  let manifest: Uint8Array;
  try {
    manifest = await repository.get(MANIFEST_ID);
  } catch (error) {
    if (error instanceof ObjectNotFound) return;
    throw error;
  }
  if (identifyKeyType(manifest).cipher === 'none') return;
  throw new GeneralError([
    'The id of an encrypted repository is not changed: two copies that use the same key as if they were different ' +
      'repositories can be decrypted without it. Make a new repository instead.',
  ]);
}
