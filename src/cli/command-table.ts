/**
 * Every command's name and where it lives. Modules are loaded when they are run or when help is asked for, so that
 * starting costs no more than what is used.
 */
import type { CommandSpec } from './command.ts';

interface Entry {
  /** For the list of commands: a few words, no full stop. */
  readonly brief: string;
  readonly load: () => Promise<CommandSpec>;
}

const commands: Readonly<Record<string, Entry>> = {
  backup: {
    brief: 'back up files; makes the repository the first time',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  'benchmark crud': {
    brief: 'measure create, read, update and delete',
    load: async () => (await import('./commands/benchmark-crud.ts')).benchmarkCrudCommand,
  },
  'break-lock': {
    brief: 'remove locks that were left behind',
    load: async () => (await import('./commands/break-lock.ts')).breakLock,
  },
  check: {
    brief: 'look whether a repository is whole, and mend it',
    load: async () => (await import('./commands/check.ts')).check,
  },
  compact: {
    brief: 'free the space of deleted archives',
    load: async () => (await import('./commands/compact.ts')).compact,
  },
  completion: {
    brief: 'let the shell complete command lines',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  config: {
    brief: 'show and change the settings of a repository',
    load: async () => (await import('./commands/config.ts')).config,
  },
  create: {
    brief: 'make an archive of files',
    load: async () => (await import('./commands/create.ts')).create,
  },
  'debug convert-profile': {
    brief: "convert a profile of Borg's to one of Python's",
    load: async () => (await import('./commands/debug-convert-profile.ts')).debugConvertProfile,
  },
  'debug delete-obj': {
    brief: 'delete objects',
    load: async () => (await import('./commands/debug-delete-obj.ts')).debugDeleteObj,
  },
  'debug dump-archive': {
    brief: 'write the metadata of an archive as JSON',
    load: async () => (await import('./commands/debug-dump-archive.ts')).debugDumpArchive,
  },
  'debug dump-archive-items': {
    brief: "write the chunks of an archive's item stream",
    load: async () => (await import('./commands/debug-dump-archive-items.ts')).debugDumpArchiveItems,
  },
  'debug dump-hints': {
    brief: 'write what is known of the segments as JSON',
    load: async () => (await import('./commands/debug-dump-hints.ts')).debugDumpHints,
  },
  'debug dump-manifest': {
    brief: 'write the manifest as JSON',
    load: async () => (await import('./commands/debug-dump-manifest.ts')).debugDumpManifest,
  },
  'debug dump-repo-objs': {
    brief: 'write all objects of a repository',
    load: async () => (await import('./commands/debug-dump-repo-objs.ts')).debugDumpRepoObjs,
  },
  'debug get-obj': {
    brief: 'write an object as it is stored',
    load: async () => (await import('./commands/debug-get-obj.ts')).debugGetObj,
  },
  'debug id-hash': {
    brief: 'print the id of contents',
    load: async () => (await import('./commands/debug-id-hash.ts')).debugIdHash,
  },
  'debug info': {
    brief: 'print what runs where',
    load: async () => (await import('./commands/debug-info.ts')).debugInfo,
  },
  'debug put-obj': {
    brief: 'store a file as an object',
    load: async () => (await import('./commands/debug-put-obj.ts')).debugPutObj,
  },
  'debug refcount-obj': {
    brief: 'print how often objects are referred to',
    load: async () => (await import('./commands/debug-refcount-obj.ts')).debugRefcountObj,
  },
  'debug search-repo-objs': {
    brief: 'look for bytes in all objects',
    load: async () => (await import('./commands/debug-search-repo-objs.ts')).debugSearchRepoObjs,
  },
  delete: {
    brief: 'delete archives, or a whole repository',
    load: async () => (await import('./commands/delete.ts')).deleteCommand,
  },
  diff: {
    brief: 'show what differs between two archives',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  'export-tar': {
    brief: 'write an archive as a tar',
    load: async () => (await import('./commands/export-tar.ts')).exportTar,
  },
  extract: {
    brief: 'bring files back from an archive',
    load: async () => (await import('./commands/extract.ts')).extract,
  },
  help: {
    brief: 'explain a command or a topic',
    load: async () => (await import('./commands/help.ts')).help,
  },
  'import-tar': {
    brief: 'make an archive of what is in a tar',
    load: async () => (await import('./commands/import-tar.ts')).importTar,
  },
  history: {
    brief: 'list what was done to a repository',
    load: async () => (await import('./commands/history.ts')).history,
  },
  info: {
    brief: 'show what a repository or an archive takes',
    load: async () => (await import('./commands/info.ts')).info,
  },
  init: {
    brief: 'make an empty repository',
    load: async () => (await import('./commands/init.ts')).init,
  },
  'key change-passphrase': {
    brief: 'protect the key by another passphrase',
    load: async () => (await import('./commands/key-change-passphrase.ts')).keyChangePassphrase,
  },
  'key export': {
    brief: 'copy the key of a repository to a safe place',
    load: async () => (await import('./commands/key-export.ts')).keyExport,
  },
  'key export-related-secrets': {
    brief: 'write what a repository shares with a related one',
    load: async () => (await import('./commands/key-export-related-secrets.ts')).keyExportRelatedSecrets,
  },
  'key import': {
    brief: 'bring back a key from its copy',
    load: async () => (await import('./commands/key-import.ts')).keyImport,
  },
  'key migrate-to-repokey': {
    brief: 'give a repository in passphrase mode a key',
    load: async () => (await import('./commands/key-migrate-to-repokey.ts')).keyMigrateToRepokey,
  },
  list: {
    brief: 'list archives, or the files in one',
    load: async () => (await import('./commands/list.ts')).list,
  },
  mount: {
    brief: 'show archives as a file system',
    load: async () => (await import('./commands/mount.ts')).mount,
  },
  prune: {
    brief: 'delete archives that no rule keeps',
    load: async () => (await import('./commands/prune.ts')).prune,
  },
  recreate: {
    brief: 'make archives again, without some files or stored in another way',
    load: async () => (await import('./commands/recreate.ts')).recreate,
  },
  rename: {
    brief: 'give an archive another name',
    load: async () => (await import('./commands/rename.ts')).rename,
  },
  rollback: {
    brief: 'take a repository back to an earlier transaction',
    load: async () => (await import('./commands/rollback.ts')).rollback,
  },
  serve: {
    brief: 'serve repositories to clients',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  umount: {
    brief: 'unmount what mount has mounted',
    load: async () => (await import('./commands/umount.ts')).umount,
  },
  upgrade: {
    brief: 'protect an old repository against forgery',
    load: async () => (await import('./commands/upgrade.ts')).upgrade,
  },
  version: {
    brief: 'show the versions of client and server',
    load: async () => (await import('./commands/version.ts')).version,
  },
  webdav: {
    brief: 'serve archives to browsers and file managers',
    load: async () => (await import('./commands/webdav.ts')).webdav,
  },
  'with-lock': {
    brief: 'run a command while nobody else uses the repository',
    load: async () => (await import('./commands/with-lock.ts')).withLock,
  },
};

/** Commands that consist of commands. */
export const commandGroups: Readonly<Record<string, string>> = {
  benchmark: 'measure how fast things are',
  debug: 'look into a repository to find faults, and may damage it',
  key: 'manage the key of a repository',
};

export function commandNames(): string[] {
  return Object.keys(commands);
}

export function briefOf(name: string): string {
  return commands[name]!.brief;
}

/** All names that may follow `group` (or the program's name). */
export function choicesOf(group: string): string[] {
  const prefix = group === '' ? '' : `${group} `;
  const names = Object.keys(commands)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length).split(' ')[0]!);
  return [...new Set(names)].toSorted();
}

export function loadCommand(name: string): Promise<CommandSpec> | undefined {
  return Object.hasOwn(commands, name) ? commands[name]!.load() : undefined;
}
