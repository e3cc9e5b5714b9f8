import { StreamWriter } from '../../platform/stream-writer.ts';
import { RepositoryServer } from '../../remote/repository-server.ts';
import { standardWire } from '../../remote/rpc-wire.ts';
import { ServedPaths } from '../../remote/served-paths.ts';
import { defineCommand } from '../command.ts';
import type { CommonArgs } from '../options/common.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { parseStorageQuota } from '../options/values.ts';
import { ClientReporter } from '../output/client-reporter.ts';

interface ServeArgs extends CommonArgs {
  readonly restrictToPaths: readonly string[];
  readonly restrictToRepositories: readonly string[];
  readonly appendOnly: boolean;
  readonly storageQuota: number | undefined;
}

export const serve = defineCommand<ServeArgs>({
  name: 'serve',
  description: `
Serves repositories of this machine to a client on another one, over standard input and output. Clients start it
themselves, by ssh; it is typed only into authorized_keys, to say what the holder of a key may do:

 command="alcove serve --restrict-to-path /srv/backup/anna",restrict ssh-ed25519 AAAA... anna

The server never has a key or a passphrase: what it stores it cannot read.

Where sshd runs the command in place of the client's, the client's own command line sets the log level, the debug topics
and --lock-wait, and nothing else.`,
  positionals: [],
  options: [
    optionGroup(
      'Options',
      {
        flags: ['--restrict-to-path'],
        dest: 'restrictToPaths',
        metavar: 'PATH',
        action: 'append',
        fallback: [],
        completes: 'directories',
        help: 'serve only what is in PATH or in a directory below it; can be given more than once',
      },
      {
        flags: ['--restrict-to-repository'],
        dest: 'restrictToRepositories',
        metavar: 'PATH',
        action: 'append',
        fallback: [],
        completes: 'directories',
        help: 'serve only the repository at PATH, which may not exist yet; can be given more than once',
      },
      flag('--append-only', 'appendOnly', 'remove nothing from the files of repositories'),
      {
        flags: ['--storage-quota'],
        dest: 'storageQuota',
        metavar: 'QUOTA',
        parse: parseStorageQuota,
        help: 'let each repository grow to at most QUOTA (e.g. 5G, 1.5T), whatever its own config says',
      },
    ),
  ],
  examples: [
    {
      command: 'alcove serve --restrict-to-repository /srv/backup/anna --append-only',
      text: 'one repository, from which the client can remove nothing',
    },
  ],
  clientReporter: (options, { logJson }) => new ClientReporter(options, logJson),
  clientMaySet: ['debugTopics', 'lockWait', 'logLevel'],

  async run(ctx, args) {
    const { reporter, signal } = ctx;
    const wire = standardWire(signal);
    const client = reporter instanceof ClientReporter ? reporter : undefined;
    client?.writeTo(new StreamWriter(2, signal));
    const restrictions = { paths: args.restrictToPaths, repositories: args.restrictToRepositories };
    const server = new RepositoryServer(ctx, {
      wire,
      paths: new ServedPaths(ctx, restrictions),
      appendOnly: args.appendOnly,
      storageQuotaBytes: args.storageQuota,
      onJsonClient: () => client?.speakJson(),
      flushLog: async () => client?.flush(),
      sysinfo: async () => (await import('../output/system-info.ts')).systemInfo(ctx.io),
    });
    try {
      await server.serve();
    } finally {
      wire.close();
    }
  },
});
