import { CommandError } from '../../errors.ts';
import { FolderTars } from '../../mount/webdav/folder-tar.ts';
import { Password } from '../../mount/webdav/password.ts';
import { ServedTree } from '../../mount/webdav/served-tree.ts';
import { startWebdavServer } from '../../mount/webdav/webdav-server.ts';
import { isLoopback } from '../../platform/ip-address.ts';
import { toHex } from '../../util/bytes.ts';
import { decodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openTree, type OpenTree } from '../open-tree.ts';
import { selectsArchives } from '../options/archive-filters.ts';
import { flag, optionGroup } from '../options/flag.ts';
import { parseListenAddress, type ListenAddress } from '../options/listen-address.ts';
import { locationOf, pathsOf } from '../options/positionals.ts';
import { threadsOption } from '../options/threads.ts';
import { considerCheckpointsOption, treeOptions, type TreeArgs } from '../options/tree-options.ts';
import {
  choosePassword,
  PASSWORD_VARIABLE,
  type ChosenPassword,
  type PasswordArgs,
} from '../webdav-password.ts';

interface WebdavArgs extends TreeArgs, PasswordArgs {
  readonly listen: ListenAddress;
}

export const webdav = defineCommand<WebdavArgs>({
  name: 'webdav',
  description: `
Serves an archive, or all archives of a repository, over HTTP: to browsers, to file managers and to whatever else speaks
WebDAV. Nothing has to be installed or permitted for it, and nothing can be written. It runs until Ctrl-C, and holds a
shared lock on the repository meanwhile.

A browser shows directories as pages, files as they are, and gives each directory as a tar (in the PAX format of
"export-tar", with all metadata that tars have). Clients of WebDAV see files and directories, and symbolic links to files
as these files; other symbolic links and special files are on the pages and in the tars only.

It listens on this machine's loopback address, which other machines don't reach, but all users of this machine do. With
--listen it can be another one; then there has to be a password, from one of:

 --generate-password      a new one, printed at the start
 --ask-password           typed at the start
 --password-file FILE     the first line of FILE
 ${PASSWORD_VARIABLE}   an environment variable

Any name of a user will do with it. HTTP is not encrypted: who can listen in on the way reads the password and the
files. Between machines, use a tunnel ("ssh -L 8080:127.0.0.1:8080 host") or a proxy that speaks HTTPS.`,
  positionals: [
    locationOf('REPOSITORY_OR_ARCHIVE', 'the repository or archive to serve', { optional: true }),
    pathsOf('what to serve of an archive; patterns are possible'),
  ],
  options: [
    optionGroup(
      'Options',
      {
        flags: ['--listen'],
        dest: 'listen',
        metavar: 'ADDRESS:PORT',
        parse: parseListenAddress,
        fallback: { host: '127.0.0.1', port: 8080 },
        help: 'where to listen; port 0 is any that is free (default: 127.0.0.1:8080)',
      },
      {
        ...flag('--generate-password', 'generatePassword', 'make a password, and print it'),
        excludes: 'password',
      },
      {
        ...flag('--ask-password', 'askPassword', 'ask for the password at the terminal'),
        excludes: 'password',
      },
      {
        flags: ['--password-file'],
        dest: 'passwordFile',
        metavar: 'FILE',
        excludes: 'password',
        help: 'read the password from the first line of FILE',
      },
      considerCheckpointsOption,
      threadsOption,
    ),
    ...treeOptions,
  ],
  examples: [
    { command: 'alcove webdav /path/to/repo', text: 'all archives, at http://127.0.0.1:8080/' },
    { command: 'alcove webdav /path/to/repo::monday home/anna', text: 'a part of one archive' },
    {
      command: 'alcove webdav --listen 192.168.1.5:8080 --generate-password /path/to/repo',
      text: 'to other machines',
    },
  ],
  mayBypassLock: true,
  check: (args) =>
    args.location.archive !== undefined && selectsArchives(args)
      ? 'options that select archives make no sense where one is named'
      : undefined,

  async run(ctx, args) {
    const password = await choosePassword(ctx, args);
    if (password === undefined && !isLoopback(args.listen.host)) throw passwordMissing(args.listen);
    const tree = await openTree(ctx, args);
    await using _vfs = tree.vfs;
    await using repository = tree.objects;
    const { key, manifest } = tree.session;
    await using server = await startWebdavServer(ctx, {
      ...args.listen,
      tree: servedTree(tree, args),
      tars: new FolderTars(ctx, { repository, key, manifest }, { ...args, matcher: tree.matcher }),
      password: password && new Password(password.text),
      iec: args.iec,
    });
    await announce(ctx, args, server.url, password);
    await aborted(ctx.signal);
  },
});

function servedTree({ vfs, session }: OpenTree, { location, stripComponents }: WebdavArgs): ServedTree {
  const { archives } = session.manifest;
  const archiveOf = (name: string) => {
    const entry = archives.get(name);
    return entry && { name, idHex: toHex(entry.id) };
  };
  const title = location.canonicalPath().split('/').at(-1)!;
  if (location.archive === undefined) {
    const archive = (name: Uint8Array) => archiveOf(decodeSurrogateEscaped(name));
    return new ServedTree({ vfs, title, archive, stripComponents });
  }
  const archive = archiveOf(location.archive)!;
  return new ServedTree({ vfs, title: `${title}::${archive.name}`, archive, stripComponents });
}

/** To the standard output, at once, so that a script can wait for it; the password never goes into a log. */
async function announce(
  ctx: CliContext,
  args: WebdavArgs,
  url: string,
  password: ChosenPassword | undefined,
): Promise<void> {
  const where =
    args.location.canonicalPath() + (args.location.archive === undefined ? '' : `::${args.location.archive}`);
  ctx.print(`Serving ${where} at ${url}\n`);
  if (password?.isNew === true) ctx.print(`Password: ${password.text} (with any name of a user)\n`);
  await ctx.io.stdout.flush?.();
  const { reporter } = ctx;
  if (!isLoopback(args.listen.host)) {
    reporter.log('warning', 'HTTP is not encrypted: the password and the files can be read on the way.');
  } else if (password === undefined) {
    reporter.tell?.('Without a password, every user of this machine can read it. Ctrl-C ends it.');
  }
}

function passwordMissing({ host }: ListenAddress): CommandError {
  return new CommandError([
    `${host} can be reached from other machines: that needs a password. ` +
      `Add --generate-password, --ask-password or --password-file, or set ${PASSWORD_VARIABLE}.`,
  ]);
}

/** Settles when the process is told to stop: that is how it is meant to end. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
